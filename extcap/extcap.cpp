// SPDX-License-Identifier: GPL-2.0-or-later
#include "extcap/extcap.h"

#include <algorithm>
#include <ostream>

namespace podshark::extcap {
namespace {

bool is_option(const std::string& word) {
  return word.compare(0, 2, "--") == 0;
}

}  // namespace

ExtcapArguments::ExtcapArguments(std::span<const std::string> args) {
  for (std::size_t i = 0; i < args.size(); ++i) {
    if (!is_option(args[i])) continue;
    const std::size_t equals = args[i].find('=');
    const std::string name = args[i].substr(2, equals == std::string::npos ? equals : equals - 2);
    if (equals != std::string::npos) {
      values_[name] = args[i].substr(equals + 1);
    } else if (i + 1 < args.size() && !is_option(args[i + 1])) {
      values_[name] = args[++i];
    } else {
      values_[name];
    }
  }
}

std::string ExtcapArguments::get(const std::string& name) const {
  const auto it = values_.find(name);
  return it == values_.end() ? std::string() : it->second;
}

bool is_extcap_call(std::span<const std::string> args) {
  return std::any_of(args.begin(), args.end(), [](const std::string& a) {
    return a.compare(0, 9, "--extcap-") == 0 || a == "--capture";
  });
}

int run_extcap(const ExtcapArguments& args, std::ostream& out, std::ostream& err) {
  constexpr int kUnknown = 2;
  // Nothing of ours outlives a killed capture: sockets close with it and workers see their channel close.
  if (args.has("extcap-cleanup-postkill")) return 0;
  if (args.has("extcap-interfaces")) return verb_interfaces(args.get("extcap-version"), out);
  const std::string interface = args.get("extcap-interface");
  if (interface.empty()) return kUnknown;
  if (args.has("capture")) return verb_capture(args, err);
  if (args.has("extcap-reload-option")) return verb_reload(args, out);
  if (args.has("extcap-config")) return verb_config(interface, out);
  if (args.has("extcap-dlts")) return verb_dlts(out);
  if (args.has("extcap-capture-filter")) return verb_check_filter(args.get("extcap-capture-filter"), out);
  return kUnknown;
}

}  // namespace podshark::extcap
