// SPDX-License-Identifier: GPL-2.0-or-later
// The extcap interface: what Wireshark asks, one verb per function. facts: doc/extcap.4 of Wireshark 4.0
// to 4.6.
#pragma once

#include <iosfwd>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "extcap/remote/far_host.h"

namespace podshark::extcap {

/// Wireshark's arguments: `--name value`, `--name=value` and bare flags, in any order.
class ExtcapArguments {
 public:
  explicit ExtcapArguments(std::span<const std::string> args);
  [[nodiscard]] bool has(const std::string& name) const { return values_.count(name) != 0; }
  [[nodiscard]] std::string get(const std::string& name) const;

 private:
  std::map<std::string, std::string> values_;
};

/// True when the command line is Wireshark's (--extcap-… or --capture).
[[nodiscard]] bool is_extcap_call(std::span<const std::string> args);

/// Carries the call out. Exit code 0, or a failure told on `err` in one line (at most 1024 bytes: Wireshark
/// shows no more). Unknown --extcap-… options: exit code 2 and no output at all.
int run_extcap(const ExtcapArguments& args, std::ostream& out, std::ostream& err);

/// The machine that the interface, or in podman:choose its dialog, is about; nothing: this one.
[[nodiscard]] Result<std::optional<remote::FarHost>> far_host(const ExtcapArguments& args);

/// Its options say which container: podman:choose, and that of another machine.
[[nodiscard]] bool is_choice(const std::string& interface);

int verb_interfaces(const std::string& version, std::ostream& out);
int verb_config(const std::string& interface, std::ostream& out);
int verb_reload(const ExtcapArguments& args, std::ostream& out);
int verb_dlts(std::ostream& out);
int verb_check_filter(const std::string& filter, std::ostream& out);
int verb_capture(const ExtcapArguments& args, std::ostream& err);

}  // namespace podshark::extcap
