# So that the programs compile from a checkout as they do with an installed package.
switch("path", "$projectDir/../../bindings/nim")
