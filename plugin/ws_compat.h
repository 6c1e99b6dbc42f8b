// SPDX-License-Identifier: GPL-2.0-or-later
// Every difference between the Wireshark versions we build for (4.0, 4.4, 4.6), and nothing else. No other
// file tests WIRESHARK_VERSION_*. The headers guard themselves: never wrap them in extern "C".
#pragma once

#include <ws_version.h>

#include <epan/epan.h>
#include <epan/packet.h>
#include <epan/proto.h>
#include <wiretap/wtap.h>

#include <cstdint>

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

}  // namespace podshark::plugin
