# So that the program compiles from a checkout as it does with an installed package.
switch("path", "$projectDir/../../../bindings/nim")
