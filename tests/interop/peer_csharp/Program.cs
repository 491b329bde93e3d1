// SPDX-License-Identifier: MIT

Winshm.Interop.Peer.Run(Console.In, Console.Out);
