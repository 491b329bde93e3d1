# So that the example compiles from a checkout as it does with an installed package.
switch("path", "$projectDir/..")
