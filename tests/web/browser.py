"""A browser without JavaScript: it keeps cookies, sends its origin, and fills the forms of the page it is on."""

import html
import re
from collections.abc import Mapping
from typing import Any

import httpx
from fastapi import FastAPI

HERE = "http://here.test"
_FORM = re.compile(r'<form[^>]*method="post"[^>]*action="([^"]*)"[^>]*>(.*?)</form>', re.S)
_HIDDEN = re.compile(r'<input type="hidden" name="([^"]+)"[^>]*value="([^"]*)"')


class Browser:
    """One person's browser on the application."""

    def __init__(self, application: FastAPI, here: str = HERE) -> None:
        self.here = here
        self.client = httpx.AsyncClient(
            transport=httpx.ASGITransport(application), base_url=here, headers={"accept-language": "fr"}
        )
        self.page = ""

    async def get(self, path: str) -> httpx.Response:
        """Open a page."""
        answer = await self.client.get(path)
        self.page = answer.text
        return answer

    async def post(self, path: str, fields: Mapping[str, str | list[str]], **headers: str) -> httpx.Response:
        """Send exactly these fields from a page of ours."""
        answer = await self.client.post(path, data=fields, headers={"origin": self.here, **headers})
        self.page = answer.text
        return answer

    def hidden(self, action: str) -> dict[str, str]:
        """The hidden fields of the form on this page that leads to `action`."""
        for found, body in _FORM.findall(self.page):
            if html.unescape(found) == action:
                return {name: html.unescape(value) for name, value in _HIDDEN.findall(body)}
        raise AssertionError(f"no form to {action} in {self.page[:2000]}")

    async def send(self, action: str, **typed: str | list[str]) -> httpx.Response:
        """Fill the form of this page and send it."""
        return await self.post(action, {**self.hidden(action), **typed})

    async def log_in(self, handle: str, password: str, code: str = "", back: str = "/compte") -> httpx.Response:
        """From the login page."""
        await self.get(f"/connexion?suite={back}")
        return await self.send("/connexion", handle=handle, password=password, code=code)

    def cookie(self, name: str = "session") -> Any:
        """The value of a cookie; None when there is none."""
        return self.client.cookies.get(name)
