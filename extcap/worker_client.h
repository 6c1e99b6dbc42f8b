// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "extcap/worker/protocol.h"
#include "podman/core/fd.h"
#include "podman/core/process.h"
#include "podman/core/result.h"
#include "podman/model/inventory.h"

namespace podshark::extcap {

/// Path of an installed or freshly built program of ours that is not in PATH, empty when there is none:
/// beside this program, PREFIX/libexec/podshark relative to it, the configured libexec directory.
[[nodiscard]] std::string find_libexec(const std::string& name);
/// In a forked child: becomes `program` with an empty environment, the channel as stdin, no other descriptor
/// above stderr, and no signal blocked. It gets SIGTERM when its parent ends.
[[noreturn]] void exec_on_channel(int channel, const std::string& program);
[[nodiscard]] inline std::string find_worker() {
  return find_libexec("podshark-worker");
}

/// Sockets made in one container's network namespace.
struct NetnsSockets {
  std::vector<UniqueFd> netlink;
  std::vector<UniqueFd> raw;
  std::vector<UniqueFd> cooked;
  std::vector<UniqueFd> netfilter;
  std::vector<UniqueFd> probe;  ///< TCP, UDP, ICMP, of each IPv4 before IPv6
  std::uint64_t netns_inode = 0;
  std::uint64_t netns_cookie = 0;
};

/// A network namespace to make sockets in.
struct NetnsPlace {
  enum class Kind {
    container,   ///< that of a running container
    host,        ///< the one podshark runs in
    file,        ///< /run/netns/netns-UUID, of a rootful container that nobody knows yet
    descriptor,  ///< opened by the caller, in a user namespace of his own
  };
  Kind kind = Kind::container;
  model::Container container;                  ///< kind container
  std::string path;                            ///< kind file
  std::shared_ptr<UniqueFd> fd;                ///< kind descriptor
  std::string whose = "the rootless network";  ///< kind descriptor, for messages

  [[nodiscard]] static NetnsPlace of(const model::Container& container);
  [[nodiscard]] static NetnsPlace host();
  /// "container 'web'", "the host", "the rootless network": for messages.
  [[nodiscard]] std::string who() const;
};

struct SocketCounts {
  std::uint32_t netlink = 0;
  std::uint32_t raw = 0;
  std::uint32_t cooked = 0;
  std::uint32_t netfilter = 0;  ///< not from the installed worker
  worker::ProbeSockets probe = {};
};

/// Asks workers for sockets. Own rootless containers, and everything for root, need no privilege that the
/// caller lacks: a forked child of this process serves them. Rootful containers of an ordinary user go to the
/// installed worker. Both are started on first use, anew when somebody has killed them, and end when this
/// object does. Not thread-safe; create and use it while the process is single-threaded.
class WorkerClient {
 public:
  WorkerClient() = default;
  ~WorkerClient();
  WorkerClient(const WorkerClient&) = delete;
  WorkerClient& operator=(const WorkerClient&) = delete;

  /// Errors say which group, capability or command would help.
  [[nodiscard]] Result<NetnsSockets> open(const NetnsPlace& place, SocketCounts counts);

 private:
  struct Worker {
    pid_t pid = 0;
    UniqueFd channel;
  };
  [[nodiscard]] static Status start(Worker& worker, bool installed);
  /// Its wait status.
  [[nodiscard]] static int end(Worker& worker);
  std::uint32_t serial_ = 0;
  Worker plain_;
  Worker installed_;
};

}  // namespace podshark::extcap
