// SPDX-License-Identifier: GPL-2.0-or-later
#include "extcap/options.h"

#include <ostream>

#include "extcap/sentence.h"
#include "podman/core/text.h"

namespace podshark::extcap {
namespace {

Status read_size(const OptionSource& source, const char* name, std::uint64_t least, std::uint64_t most,
                 std::uint64_t& out) {
  const std::optional<std::string> text = source(name);
  if (!text || text->empty()) return ok();
  std::uint64_t value = 0;
  if (!parse_number(*text, most, value) || value < least) {
    return Error{ErrorKind::usage,
                 std::string("--") + name + " '" + one_line(*text, 40) + "' is not a number from " +
                     std::to_string(least) + " to " + std::to_string(most),
                 {}};
  }
  out = value;
  return ok();
}

Status read_flag(const OptionSource& source, const char* name, bool& out) {
  const std::optional<std::string> text = source(name);
  if (!text || text->empty()) return ok();
  if (*text != "true" && *text != "false") {
    return Error{ErrorKind::usage,
                 std::string("--") + name + " '" + one_line(*text, 40) + "' is neither true nor false",
                 {}};
  }
  out = *text == "true";
  return ok();
}

}  // namespace

Status read_link_options(const OptionSource& source, SessionOptions& options) {
  if (const auto links = source("link"); links && !links->empty()) {
    for (const std::string& link : split(*links, ',')) {
      if (!trim(link).empty()) options.link.links.emplace_back(trim(link));
    }
  }
  std::uint64_t snaplen = options.link.snaplen;
  std::uint64_t ring_mib = options.link.ring_bytes >> 20U;
  std::uint64_t queue_mib = options.queue_bytes >> 20U;
  if (Status s = read_size(source, "snaplen", 1, kMaxSnaplen, snaplen); !s) return s;
  if (Status s = read_size(source, "ring-size", 1, kMaxRingMib, ring_mib); !s) return s;
  if (Status s = read_size(source, "queue-size", 1, 65536, queue_mib); !s) return s;
  if (Status s = read_flag(source, "promiscuous", options.link.promiscuous); !s) return s;
  options.link.snaplen = static_cast<std::uint32_t>(snaplen);
  options.link.ring_bytes = ring_mib << 20U;
  options.queue_bytes = queue_mib << 20U;
  return ok();
}

int write_link_arguments(std::ostream& out, int first) {
  const SessionOptions defaults;
  out << Sentence("arg")
             .with("number", first)
             .with("call", "--link")
             .with("display", "Links")
             .with("type", "string")
             .with("placeholder", "all")
             .with("tooltip",
                   "Links of the container to capture, separated by commas, "
                   "for example eth0,lo. Empty: all of them")
             .with("group", "Capture")
      << Sentence("arg")
             .with("number", first + 1)
             .with("call", "--snaplen")
             .with("display", "Bytes per packet")
             .with("type", "unsigned")
             .with("range", "1," + std::to_string(kMaxSnaplen))
             .with("default", std::to_string(defaults.link.snaplen))
             .with("tooltip", "Longer packets are cut")
             .with("group", "Capture")
      << Sentence("arg")
             .with("number", first + 2)
             .with("call", "--promiscuous")
             .with("display", "Promiscuous mode")
             .with("type", "boolean")
             .with("default", "true")
             .with("tooltip", "See frames that are not addressed to the container too")
             .with("group", "Capture")
      << Sentence("arg")
             .with("number", first + 3)
             .with("call", "--ring-size")
             .with("display", "Kernel ring (MiB per link)")
             .with("type", "unsigned")
             .with("range", "1," + std::to_string(kMaxRingMib))
             .with("default", std::to_string(defaults.link.ring_bytes >> 20U))
             .with("tooltip", "Memory in which the kernel collects packets; larger survives longer bursts")
             .with("group", "Buffers")
      << Sentence("arg")
             .with("number", first + 4)
             .with("call", "--queue-size")
             .with("display", "Queue (MiB)")
             .with("type", "unsigned")
             .with("range", "1,65536")
             .with("default", std::to_string(defaults.queue_bytes >> 20U))
             .with("tooltip", "Memory for packets that Wireshark has not taken yet")
             .with("group", "Buffers");
  return first + 5;
}

}  // namespace podshark::extcap
