// SPDX-License-Identifier: GPL-2.0-or-later
// libFuzzer target: what comes out of the connection tracking of a namespace. The input is netlink messages,
// which become records as they do in a capture; each must be one that the plugin can read.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "extcap/capture/nat_log.h"
#include "podman/kernel/conntrack_message.h"
#include "podman/kernel/netlink.h"

namespace {

using namespace podshark;
using Kind = kernel::ConntrackMessage::Kind;

void check(const std::optional<annotate::Event>& event) {
  if (!event) return;
  if (event->detail.find_first_of("\n\r\x1b") != std::string::npos) std::abort();
  const Result<annotate::Event> again = annotate::decode_event(annotate::encode_event(*event));
  if (!again || !(again->orig == event->orig) || !(again->reply == event->reply)) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  extcap::NatLog log;
  extcap::NatOwners owners;
  for (const char* address : {"10.88.0.2", "fd00::2", "::"})
    owners[*IpAddress::parse(address)] = {"id", "web"};
  (void)log.set_owners(std::move(owners));
  log.list_begins();
  kernel::each_message({reinterpret_cast<const char*>(data), size}, [&](std::string_view message) {
    const auto m = kernel::parse_conntrack(message);
    if (!m) return;
    if (m->kind == Kind::entry) check(log.begun(m->entry, m->sequence != 0, 1));
    if (m->kind == Kind::destroyed) check(log.ended(m->entry));
    if (m->kind == Kind::done) log.list_ends();
  });
  return 0;
}
