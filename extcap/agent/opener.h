// SPDX-License-Identifier: GPL-2.0-or-later
// Makes sockets in one target's network namespace, as long as the capture lasts: links may appear later. It
// is a child that has joined the namespace (and the user namespace that owns it) and has nothing but
// CAP_NET_RAW; for the agent's own namespace no child is needed.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <cstdint>

#include "extcap/agent/exit_codes.h"
#include "podman/core/fd.h"

namespace podshark::agent {

/// More than are asked for at once, less than SCM_RIGHTS carries.
inline constexpr std::size_t kMaxSockets = 64;

struct SocketCounts {
  std::uint32_t netlink = 0;
  std::uint32_t raw = 0;     ///< packet sockets that give frames
  std::uint32_t cooked = 0;  ///< packet sockets that give packets without link-layer header
};

/// In the order asked for: netlink, raw, cooked.
struct Sockets {
  UniqueFd fds[kMaxSockets];
  std::size_t count = 0;
};

/// What was tried, and why it failed. `step` is null when nothing failed.
struct Failure {
  const char* step = nullptr;
  int error = 0;  ///< errno, positive
  ExitCode code = kInternal;
};

class Opener {
 public:
  Opener() = default;
  Opener(const Opener&) = delete;
  Opener& operator=(const Opener&) = delete;
  ~Opener() { close(); }

  /// `pid`, or kSelf. A process that ends, and another one that gets its number, are told apart.
  [[nodiscard]] Failure start(int pid);
  [[nodiscard]] Failure open(SocketCounts counts, Sockets* out);

  /// Readable when the process has ended. -1 where the kernel has none (before Linux 5.3): ask gone() now and
  /// then; and for kSelf.
  [[nodiscard]] int pidfd() const { return pidfd_.get(); }
  [[nodiscard]] bool gone() const;
  /// Ends the child, and forgets the process.
  void close();

 private:
  [[nodiscard]] bool identify(int pid);
  [[nodiscard]] Failure answer(Sockets* out);

  UniqueFd process_;  // /proc/PID: leads nowhere once that process has ended
  UniqueFd pidfd_;
  UniqueFd channel_;
  pid_t child_ = 0;
};

}  // namespace podshark::agent
