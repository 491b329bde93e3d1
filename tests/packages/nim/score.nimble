version = "1.0.0"
author = "a user of winshm"
description = "What tests/packages/nim.sh builds with the installed package"
license = "MIT"
bin = @["score"]

requires "nim >= 1.6.0"
requires "winshm >= 0.1"
