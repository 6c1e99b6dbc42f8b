// SPDX-License-Identifier: GPL-2.0-or-later
#include <algorithm>

#include "extcap/extcap.h"

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

}  // namespace podshark::extcap
