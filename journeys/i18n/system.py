"""What the operating system would not do, in words."""

import errno
from typing import Final

_WORDS: Final = {
    errno.ENOENT: ("il n'existe pas", "it does not exist"),
    errno.ENOTDIR: ("un dossier de ce chemin n'existe pas", "a folder of this path does not exist"),
    errno.EISDIR: ("c'est un dossier", "it is a folder"),
    errno.EACCES: ("vous n'en avez pas le droit", "you are not allowed to"),
    errno.EPERM: ("vous n'en avez pas le droit", "you are not allowed to"),
    errno.EROFS: ("ce disque ne s'écrit pas", "this disk cannot be written"),
    errno.ENOSPC: ("le disque est plein", "the disk is full"),
    errno.ENAMETOOLONG: ("le nom est trop long", "the name is too long"),
    errno.EADDRINUSE: ("l'adresse est déjà prise", "the address is in use already"),
    errno.EADDRNOTAVAIL: ("cette machine n'a pas cette adresse", "this machine does not have this address"),
}


def unwilling(error: OSError) -> tuple[str, str]:
    """Why, in French and in English; in the system's own words where it says what is rare."""
    known = error.strerror or str(error)
    return _WORDS.get(error.errno or 0, (known, known))
