"""Installs the package. Everything it says stands in settings.ini, which nbdev reads too."""
from configparser import ConfigParser
from pathlib import Path

from setuptools import find_packages, setup

here = Path(__file__).parent
ini = ConfigParser(delimiters=["="])
ini.read(here / "settings.ini", encoding="utf-8")
cfg = ini["DEFAULT"]
extras = {name: cfg[f"{name}_requirements"].split() for name in ("lab", "export", "hub", "audioset")}

setup(
    name=cfg["lib_name"],
    version=cfg["version"],
    description=cfg["description"],
    author=cfg["author"],
    license="MIT",
    keywords=cfg["keywords"],
    url=cfg["git_url"],
    packages=find_packages(include=["eat", "eat.*"]),
    package_dir={"": "."}, # so `pip install -e` adds a path: beside a clone named eat, `import eat` finds the package
    package_data={"eat": ["py.typed", "web/*", "box/*/*"]},
    python_requires=f">={cfg['min_python']}",
    install_requires=cfg["requirements"].split(),
    extras_require=extras | {"dev": [*sum(extras.values(), []), *cfg["dev_requirements"].split()]},
    entry_points={"console_scripts": cfg["console_scripts"].split("\n"), "nbdev": [f"{cfg['lib_name']}={cfg['lib_name']}._modidx:d"]},
    classifiers=["Development Status :: 3 - Alpha", "Intended Audience :: Developers", "Intended Audience :: Education",
                 "Programming Language :: Python :: 3", "License :: OSI Approved :: MIT License"],
)
