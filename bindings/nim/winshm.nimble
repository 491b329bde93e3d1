# Package

# As in winshm.h. The module winshm/abi takes it from here.
version       = "0.1.0"
author        = "the winshm authors"
description   = "Named shared memory with a robust lock and notification, for processes of any language"
license       = "MIT"
skipDirs      = @["examples"]

# Dependencies

requires "nim >= 1.6.0"
