// SPDX-License-Identifier: GPL-2.0-or-later
// Names of the sockets of extcap/announce. Private to that folder.
#pragma once

#include <sys/un.h>

#include <cstdio>
#include <string>
#include <string_view>

namespace podshark::extcap {

inline constexpr std::string_view kInboxPrefix = "capture.";  ///< then the pid

/// Through the directory's descriptor, because its own path may be longer than an address can hold (unix(7)).
inline sockaddr_un inbox_address(int directory, const std::string& name) {
  sockaddr_un out{};
  out.sun_family = AF_UNIX;
  (void)std::snprintf(out.sun_path, sizeof(out.sun_path), "/proc/self/fd/%d/%s", directory, name.c_str());
  return out;
}

}  // namespace podshark::extcap
