// SPDX-License-Identifier: MIT
// Says how ten structures look, and that a typed region works: what a trimmed program has to do, too.

using Winshm;
using Winshm.Interop;

foreach (string line in Layouts.Lines)
{
    Console.WriteLine(line);
}
