// SPDX-License-Identifier: GPL-2.0-or-later
// How a container (or the host) finds names: its own hosts and resolv.conf.
#pragma once

#include <sys/types.h>

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "podman/core/ip_address.h"
#include "podman/core/result.h"

namespace podshark::extcap::probing {

struct NameService {
  std::vector<IpAddress> servers;                        ///< at most 3, as the C library reads
  std::vector<std::string> search;                       ///< at most 6
  std::vector<std::pair<std::string, IpAddress>> hosts;  ///< name → address, in order, at most kMaxHosts
};
inline constexpr std::size_t kMaxHosts = 1024;

/// Of the mount namespace of process `pid`; 0: ours. A file that is not there is empty. The files belong to
/// the container: links in it do not lead out, and what is no regular file of at most 64 KiB is an error.
[[nodiscard]] Result<NameService> read_name_service(pid_t pid);
/// The same below the directory `root`.
[[nodiscard]] Result<NameService> read_name_service_in(const std::string& root);

/// Pure parts.
void parse_resolv_conf(std::string_view text, NameService& out);
void parse_hosts(std::string_view text, NameService& out);
/// Nothing when hosts does not have it.
[[nodiscard]] std::vector<IpAddress> find_host(const NameService& names, const std::string& name);
/// The names to ask a server for, in the order of the C library with ndots:1.
[[nodiscard]] std::vector<std::string> with_search(const NameService& names, const std::string& name);

}  // namespace podshark::extcap::probing
