"""The variables that a model is read from, and secrets that stand in files."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pydantic import BaseModel, SecretStr
from pydantic.fields import FieldInfo
from pydantic_settings import PydanticBaseSettingsSource

from journeys.settings.problems import FILE_SUFFIX, PREFIX, SettingsError, said_twice, unreadable_file


class SecretFiles(PydanticBaseSettingsSource):
    """Secrets from files: for each secret NAME, the file whose path NAME_FILE holds."""

    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[Any, str, bool]:
        return None, field_name, False

    def __call__(self) -> dict[str, Any]:
        values: dict[str, Any] = {}
        for variable, path, _ in secret_variables(self.settings_cls, PREFIX):
            named = os.environ.get(variable + FILE_SUFFIX, "")
            if not named:
                continue
            if os.environ.get(variable):
                raise SettingsError(said_twice(variable))
            group = values
            for part in path[:-1]:
                group = group.setdefault(part, {})
            group[path[-1]] = _read_secret(variable, Path(named).expanduser())
        return values


def _fields(model: type[BaseModel], prefix: str) -> Iterator[tuple[str, str, FieldInfo]]:
    for name, field in model.model_fields.items():
        alias = field.validation_alias
        yield (alias if isinstance(alias, str) else prefix + name.upper()), name, field


def _group_of(field: FieldInfo) -> type[BaseModel] | None:
    annotation = field.annotation
    return annotation if isinstance(annotation, type) and issubclass(annotation, BaseModel) else None


def variables(model: type[BaseModel], prefix: str) -> Iterator[str]:
    """Every variable of a model and of its groups."""
    for variable, _, field in _fields(model, prefix):
        yield variable
        if group := _group_of(field):
            yield from variables(group, variable + "__")


def secret_variables(model: type[BaseModel], prefix: str) -> Iterator[tuple[str, tuple[str, ...], FieldInfo]]:
    """(variable, where it goes in the input of the settings, field) of each secret."""
    for variable, name, field in _fields(model, prefix):
        if group := _group_of(field):
            for inner, path, inner_field in secret_variables(group, variable + "__"):
                yield inner, (name, *path), inner_field
        elif field.annotation == SecretStr | None or name == "database_url":
            yield variable, (variable if field.validation_alias else name,), field


def _read_secret(variable: str, path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(unreadable_file(variable + FILE_SUFFIX, path, error)) from None
