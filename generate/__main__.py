"""`python -m generate`: write the generated files, and remove stale ones."""

import sys

from generate.makers import files, stale
from stack.errors import UserError
from stack.paths import ROOT


def main() -> None:
    """Write each file whose text has changed, and report it."""
    try:
        made = files()
    except UserError as error:
        sys.exit(str(error))
    old = stale(made)
    for path in old:
        path.unlink()
        say(f"removed {path.relative_to(ROOT)}")
    changed = [path for path in made if not path.exists() or path.read_text() != made[path]]
    for path in changed:
        path.parent.mkdir(exist_ok=True)
        path.write_text(made[path])
        say(f"wrote {path.relative_to(ROOT)}")
    say(
        f"{len(made)} generated files: {len(changed)} written, {len(old)} removed, others unchanged"
    )


def say(line: str) -> None:
    print(line)  # noqa: T201 - this is a command


if __name__ == "__main__":
    main()
