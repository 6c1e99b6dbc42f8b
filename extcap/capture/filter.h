// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <linux/filter.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "podman/core/result.h"

struct bpf_program;

namespace podshark::extcap {

/// A capture filter compiled by libpcap (loaded on the first call) for one link-layer type.
class Filter {
 public:
  /// An empty `text` accepts everything, cut to `snaplen`. Errors are ErrorKind::bad_filter with libpcap's
  /// words. `in_user_space`: matches() alone decides, there is nothing to attach.
  [[nodiscard]] static Result<Filter> compile(const std::string& text, std::uint16_t linktype,
                                              std::uint32_t snaplen, bool in_user_space = false);

  /// Instructions for the kernel (SO_ATTACH_FILTER); empty when there is nothing to attach.
  [[nodiscard]] const std::vector<sock_filter>& kernel_program() const { return kernel_; }

  /// True when packets must pass matches() as well: the kernel takes VLAN tags out of the frame before a
  /// socket filter sees it, so filters that speak of VLANs run here, on the repaired frame.
  [[nodiscard]] bool in_user_space() const { return program_ != nullptr; }
  [[nodiscard]] bool matches(const std::uint8_t* data, std::uint32_t captured, std::uint32_t length) const;

 private:
  std::vector<sock_filter> kernel_;
  std::shared_ptr<bpf_program> program_;
};

/// `limit` and the user's own filter, either of which may be empty, as one text. Pure.
[[nodiscard]] std::string both_filters(const std::string& limit, const std::string& filter);

/// A capture that is carried to another machine by ssh would capture itself there: a filter that leaves out
/// the connection as sshd(8) tells it in SSH_CONNECTION, "client port server port"; empty for anything else.
/// `any_port`, or kAnyPort as a fifth word: whatever the client's port is, for one of several connections.
/// Pure.
inline constexpr const char* kAnyPort = "any-port";
[[nodiscard]] std::string without_carrier(const std::string& ssh_connection, bool any_port = false);

}  // namespace podshark::extcap
