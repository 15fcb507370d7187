"""Why things are as they are: a package, a kind of finding, a request that cannot be. Pure."""
