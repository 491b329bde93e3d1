# So that the examples compile from a checkout as they do with an installed package.
switch("path", "$projectDir/..")
# For tasks.nim; Nim 2 has threads anyway.
switch("threads", "on")
