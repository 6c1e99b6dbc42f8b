// SPDX-License-Identifier: GPL-2.0-or-later
// What every reader of rtnetlink(7) here shares: one dump and its attributes. The answers come out of a
// container's namespace, so every length in them is checked.
#pragma once

#include <linux/netlink.h>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string_view>
#include <vector>

#include "podman/core/result.h"

namespace podshark::kernel {

/// NLMSG_ALIGN and RTA_ALIGN without their mixed signedness.
[[nodiscard]] constexpr std::size_t aligned(std::size_t n) {
  return (n + 3) & ~std::size_t{3};
}

struct Attribute {
  unsigned type;  ///< without the NLA_F_ flags
  const char* data;
  std::size_t size;
};

/// A number of nfnetlink: all of these are in network byte order. 0 where the attribute is shorter.
template <typename T>
[[nodiscard]] T number(const Attribute& a) {
  if (a.size < sizeof(T)) return 0;
  T out = 0;
  for (std::size_t i = 0; i < sizeof(T); ++i)
    out = static_cast<T>(std::uint64_t{out} << 8U | static_cast<std::uint8_t>(a.data[i]));
  return out;
}

/// Calls `visit` for each attribute; ends at the first one whose length is impossible.
void for_each_attribute(const char* data, std::size_t size,
                        const std::function<void(const Attribute&)>& visit);

/// Calls `visit` for each netlink message, header included, of what one recv(2) gave; ends at the first one
/// whose length is impossible.
void each_message(std::string_view datagram, const std::function<void(std::string_view)>& visit);

/// One RTM_GET* dump: request, then `on_message` for each message until NLMSG_DONE. Messages of an earlier,
/// given up dump are skipped. Blocks for at most a second on a kernel that does not answer. `on_message` must
/// not dump() itself: there is one buffer a thread.
[[nodiscard]] Status dump(int fd, std::uint16_t type, const std::function<void(const nlmsghdr&)>& on_message);

/// The same with another fixed part than rtnetlink's: `body` of `size` bytes, at most kMaxBody.
[[nodiscard]] Status dump(int fd, std::uint16_t type, const void* body, std::size_t size,
                          const std::function<void(const nlmsghdr&)>& on_message);
inline constexpr std::size_t kMaxBody = 64;

/// One request that has one answer: the message with this sequence number, whole and aligned for nlmsghdr; it
/// may be an NLMSG_ERROR. Use a number that no dump has (those count from 1). Blocks for at most a second.
[[nodiscard]] Result<std::vector<char>> ask(int fd, const void* request, std::size_t size,
                                            std::uint32_t sequence);

/// The errno (positive) of an NLMSG_ERROR.
[[nodiscard]] int error_of(const nlmsghdr& header);

}  // namespace podshark::kernel
