## The Nim side of what is compared between languages; for the protocol see worker.c.
import std/[algorithm, memfiles, monotimes, os, strutils, times]
import winshm

const RegionBytes = 4096

proc cpuNow(): float = cpuTime() * 1e9

template measure(budget: int64, chunk: int, statement: untyped): string =
  ## The median of chunks, as in BENCH_LOOP.
  block:
    var samples: seq[float]
    let cpu = cpuNow()
    let began = getMonoTime().ticks
    var last = began
    while last - began < budget:
      for i in 0 ..< chunk:
        statement
      let now = getMonoTime().ticks
      samples.add float(now - last) / float(chunk)
      last = now
    let spent = (cpuNow() - cpu) / float(chunk * samples.len)
    sort samples
    $samples[samples.len div 2] & " " & $spent

proc chunkOf(bytes: int): int = max(1, (4 shl 20) div bytes)

proc filled(name: string, bytes: int): Region =
  result = createRegion(name, bytes)
  zeroMem(result.data, bytes)

proc path(name: string): string =
  when defined(windows): getTempDir() / name else: "/dev/shm/" & name

proc run(operation, name: string, bytes: int, budget: int64): string =
  case operation
  of "lock":
    let region = filled(name, RegionBytes)
    result = measure(budget, 2048):
      region.lock()
      region.unlock()
    region.close()
  of "notify":
    let region = filled(name, RegionBytes)
    result = measure(budget, 2048): region.notify()
    region.close()
  of "open":
    let keeper = filled(name, RegionBytes)
    result = measure(budget, 8): openRegion(name).close()
    keeper.close()
  of "read", "write", "copy-out", "copy-in":
    let region = filled(name, bytes)
    var buffer = newSeq[byte](bytes)
    for i in 0 ..< bytes: buffer[i] = 1
    copyMem(region.data, addr buffer[0], bytes)
    let shared = region.data
    result =
      case operation
      of "read": measure(budget, chunkOf(bytes), region.read(0, buffer))
      of "write": measure(budget, chunkOf(bytes), region.write(0, buffer))
      of "copy-out": measure(budget, chunkOf(bytes), copyMem(addr buffer[0], shared, bytes))
      else: measure(budget, chunkOf(bytes), copyMem(shared, addr buffer[0], bytes))
    region.close()
  of "memfile-open":
    var keeper = memfiles.open(path(name), fmReadWrite, newFileSize = RegionBytes)
    result = measure(budget, 8):
      var file = memfiles.open(path(name), fmReadWrite)
      file.close()
    keeper.close()
    removeFile(path(name))
  else: quit("no such operation: " & operation)

try:
  # The library looks at the number of processors before it is pinned.
  discard openRegion("winshm-bench-none")
except WinshmError: discard
echo "ready"
flushFile(stdout)
for line in stdin.lines:
  let words = line.splitWhitespace
  echo run(words[0], words[1], words[2].parseInt, words[3].parseBiggestInt)
  flushFile(stdout)
