// SPDX-License-Identifier: GPL-2.0-or-later
#include "extcap/remote/without.h"

#include <algorithm>
#include <ostream>
#include <span>

#include "extcap/command.h"
#include "extcap/remote/far_script.h"
#include "extcap/remote/survey.h"

namespace podshark::extcap::remote {

int run_without(const FarHost& host, const std::vector<std::string>& words, std::ostream& out,
                std::ostream& err) {
  const std::string& verb = words.front();
  const auto fail = [&](const Error& error) {
    err << "podshark " << verb << ": " << error.line() << '\n';
    return static_cast<int>(error.kind);
  };
  if (verb != "list" && verb != "inventory" && verb != "check") return fail(not_there(host));
  // What `list` shows without --all; the others speak of stopped containers too.
  const bool all = verb != "list" || std::find(words.begin(), words.end(), "--all") != words.end();
  const Result<FarFacts> facts = survey(host, all);
  if (!facts) return fail(facts.error());
  const Elsewhere there{host.name, facts->uid, facts->inventory};
  const auto args = std::span(words).subspan(1);
  if (verb == "list") return list_elsewhere(args, there, out, err);
  if (verb == "inventory") return inventory_elsewhere(args, there, out, err);
  return check_elsewhere(args, there, out, err);
}

}  // namespace podshark::extcap::remote
