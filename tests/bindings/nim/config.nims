switch("path", "$projectDir/../../../bindings/nim")
switch("threads", "on")
