// SPDX-License-Identifier: GPL-2.0-or-later
#include "extcap/extcap.h"

#include <ostream>

namespace podshark::extcap {
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
