switch("threads", "on")
switch("path", "$projectDir/../../bindings/nim")
