"""`python -m evidence.verification.selftest`: every known answer of the engine; exit status 0, or 70 when one is not given."""

import sys

from . import FAMILIES, formats_of, run


def main() -> int:
    tested = run()
    for name in FAMILIES:
        formats = formats_of(name)
        broken = [f for f in tested.failed if f.startswith(f"{name}: ")]
        print(f"{name}: {'; '.join(broken) or 'passed'} ({'every format' if formats is None else ', '.join(sorted(formats))})")
    print(f"{tested.passed}/{tested.vectors}")
    return 70 if tested.failed else 0


if __name__ == "__main__":
    sys.exit(main())
