// SPDX-License-Identifier: GPL-2.0-or-later
// Every difference between the Wireshark versions we build for (4.0, 4.4, 4.6), and nothing else. No other
// file tests WIRESHARK_VERSION_*. The headers guard themselves: never wrap them in extern "C".
#pragma once

#include <ws_version.h>

#include <epan/addr_resolv.h>
#include <epan/conversation_table.h>
#include <epan/epan.h>
#include <epan/expert.h>
#include <epan/packet.h>
#include <epan/proto.h>
#include <epan/stats_tree.h>
#include <epan/tap.h>
#include <wiretap/wtap.h>
#include <wsutil/filesystem.h>

#include <cstddef>
#include <cstdint>
#include <string>

namespace podshark::plugin {

#define PODSHARK_WIRESHARK_AT_LEAST(major, minor) \
  (WIRESHARK_VERSION_MAJOR > (major) ||           \
   (WIRESHARK_VERSION_MAJOR == (major) && WIRESHARK_VERSION_MINOR >= (minor)))

/// Bits of plugin_describe(), which 4.2 and later ask; their header lacks them in 4.0.
inline constexpr std::uint32_t kDescribeDissector = 1;

/// Name of an interface (if_name); nullptr when unknown. Does not throw.
inline const char* interface_name(const epan_t* session, std::uint32_t id,
                                  [[maybe_unused]] std::uint32_t section) {
#if PODSHARK_WIRESHARK_AT_LEAST(4, 2)
  return epan_get_interface_name(session, id, section);
#else
  return epan_get_interface_name(session, id);
#endif
}

/// if_description; nullptr when there is none. Does not throw.
inline const char* interface_description(const epan_t* session, std::uint32_t id,
                                         [[maybe_unused]] std::uint32_t section) {
#if PODSHARK_WIRESHARK_AT_LEAST(4, 2)
  return epan_get_interface_description(session, id, section);
#else
  return epan_get_interface_description(session, id);
#endif
}

/// Names an IPv4 address (network byte order) or IPv6 address for this file. Does not throw.
inline void name_ipv4(std::uint32_t address, const char* name) {
#if PODSHARK_WIRESHARK_AT_LEAST(4, 2)
  add_ipv4_name(address, name, /* static_entry= */ false);
#else
  add_ipv4_name(address, name);
#endif
}
inline void name_ipv6(const ws_in6_addr* address, const char* name) {
#if PODSHARK_WIRESHARK_AT_LEAST(4, 2)
  add_ipv6_name(address, name, /* static_entry= */ false);
#else
  add_ipv6_name(address, name);
#endif
}

/// What callbacks return and preferences hold.
#if PODSHARK_WIRESHARK_AT_LEAST(4, 4)
using Boolean = bool;
#else
using Boolean = gboolean;
#endif

/// Value of a binary custom option (2989) and whose it is.
struct CustomOption {
  std::uint32_t enterprise = 0;
  const void* data = nullptr;
  std::size_t size = 0;
};
inline CustomOption custom_option(const wtap_optval_t* value) {
#if PODSHARK_WIRESHARK_AT_LEAST(4, 6)
  const auto& o = value->custom_binaryval;
  return {o.pen, o.data.custom_data, o.data.custom_data_len};
#else
  const auto& o = value->custom_opt;
  return {o.pen, o.data.generic_data.custom_data, o.data.generic_data.custom_data_len};
#endif
}

/// Between a sub-menu of Statistics and the name of a tree in it.
#ifdef STATS_TREE_MENU_SEPARATOR
#define PODSHARK_STATS_SEPARATOR STATS_TREE_MENU_SEPARATOR
#else
#define PODSHARK_STATS_SEPARATOR "/"
#endif

/// Where this user's own extcap programs are.
inline std::string personal_extcap_directory() {
#if PODSHARK_WIRESHARK_AT_LEAST(4, 2)
  return get_extcap_pers_dir();
#else
  char* path = get_persconffile_path("extcap", FALSE);
  std::string copy = path != nullptr ? path : "";
  g_free(path);
  return copy;
#endif
}

}  // namespace podshark::plugin
