// SPDX-License-Identifier: GPL-2.0-or-later
// Options of iptables' matches in our vocabulary. Private to podman/firewall.
#pragma once

#include "podman/firewall/iptables_words.h"
#include "podman/firewall/ruleset.h"

namespace podshark::firewall {

/// Takes the options of one rule up to its target, in order.
class MatchReader {
 public:
  MatchReader(Family family, Rule& rule) : v6_(family == Family::ip6), rule_(rule) {}
  void take(const Option& option);

 private:
  void start_module(const std::string& name);
  void take_unknown(const Option& option);

  bool v6_;
  Rule& rule_;
  std::string module_;
  bool open_unknown_ = false;  // the last match is an unknown extension, to which more options belong
};

}  // namespace podshark::firewall
