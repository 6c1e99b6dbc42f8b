// SPDX-License-Identifier: GPL-2.0-or-later
// libFuzzer target: what comes out of the kernel of a traced namespace. The input is netlink messages; what
// they tell is put together as a trace does, and every text that people see must be one line.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>
#include <vector>

#include "podman/firewall/parse_iptables.h"
#include "podman/trace/journey.h"

namespace {

using namespace podshark;

void clean(std::string_view text) {
  if (text.find_first_of("\n\r\x1b") != std::string_view::npos) std::abort();
}

const firewall::Ruleset& rules() {
  static const firewall::Ruleset known =
      firewall::parse_iptables_save("*filter\n:FORWARD DROP [0:0]\n-A FORWARD -p tcp -j REJECT\nCOMMIT\n",
                                    firewall::Family::ip, firewall::Maker::iptables_legacy)
          .value();
  return known;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::vector<trace::Event> events;
  trace::each_message({reinterpret_cast<const char*>(data), size}, [&](std::string_view message) {
    (void)trace::new_table(message);
    if (auto e = trace::parse_message(message)) events.push_back(*e);
  });
  const trace::Journeys all = trace::journeys(events, {rules(), rules(), "podshark_trace_7"});
  for (const trace::Journey& j : all.all) {
    if (j.seen.empty()) std::abort();
    clean(to_string(j.seen.front()));
    clean(j.decided_by);
    for (const trace::Step& s : j.steps) {
      clean(s.where);
      clean(s.text);
      clean(s.what);
      clean(s.now);
    }
  }
  return 0;
}
