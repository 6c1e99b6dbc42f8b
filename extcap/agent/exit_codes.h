// SPDX-License-Identifier: GPL-2.0-or-later
// How podshark-agent ends, for whoever started it on another machine. Values never change their meaning.
#pragma once

namespace podshark::agent {

/// Away from those of the programs in between: kubectl (1), podman (125), sh (126, 127, 128 and the signal's
/// number), ssh (255).
enum ExitCode : int {
  kDone = 0,              ///< told to end (SIGTERM, end of stdin), or all targets have ended
  kInternal = 80,         ///< a system call failed that should not
  kUsage = 81,            ///< words that it does not know: podshark and agent are of different versions
  kNoProcess = 82,        ///< no target has such a process (any more)
  kNotPermitted = 83,     ///< neither root nor the owner of the container, or no CAP_NET_RAW
  kNoSuchLink = 84,       ///< a link named by -i is in no target
  kNoPacketSockets = 85,  ///< this kernel has no packet sockets with rings: gVisor, old kernels
  kNoMemory = 86,         ///< not even for small rings
  kBadFilter = 87,        ///< the kernel refuses the program of -f
  kBeatsMissed = 88,      ///< nothing came on stdin for too long: the line is cut
  kReaderGone = 89,       ///< nobody reads stdout any more
};

}  // namespace podshark::agent
