"""The pages in a real browser. A package, so that its conftest does not take the place of the other tests' one."""
