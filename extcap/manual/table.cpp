// SPDX-License-Identifier: GPL-2.0-or-later
#include "extcap/manual/table.h"

#include <algorithm>
#include <cxxopts.hpp>

#include "extcap/command.h"
#include "podman/core/text.h"

namespace podshark::extcap::manual {
namespace {

// cxxopts tells this only within --help.
std::string usage_of(const cxxopts::Options& options, const std::string& command) {
  const std::string help = options.help();
  const std::string before = "\nUsage:\n  podshark " + command;
  const std::size_t from = help.find(before) + before.size();
  return std::string(trim(help.substr(from, help.find('\n', from) - from)));
}

Argument describe(const std::string& name) {
  Argument out{name, Kind::free, {}};
  const bool lower =
      std::none_of(name.begin(), name.end(), [](char c) { return (c >= 'A' && c <= 'Z') || c == '/'; });
  if (name == "FILE" || name == "OUT" || name == "IN") out.kind = Kind::file;
  if (name == "CONTAINER" || name == "TARGET" || name == "TARGET:PORT") out.kind = Kind::target;
  if (name == "CONTAINER:PORT") out.kind = Kind::target_port;
  if (name == "WHERE" || name == "WHO") {
    out.kind = Kind::target;
    out.words = {"host"};
  }
  if (lower && name.find('|') != std::string::npos) {
    out.kind = Kind::words;
    out.words = split(name, '|');
  }
  return out;
}

// "[TARGET...] [options]" is about TARGET, "[list | add HOST]" about list and add.
Argument rest_of(const std::string& usage) {
  if (usage.starts_with('[') && usage.find(" | ") != std::string::npos) {
    Argument out{"command", Kind::words, {}};
    for (const std::string& part : split(usage.substr(1), '|')) {
      const std::string alternative(trim(part));
      out.words.push_back(alternative.substr(0, alternative.find(' ')));
    }
    return out;
  }
  std::string first;
  for (const char c : usage.substr(0, usage.find(' '))) {
    if ((c >= 'A' && c <= 'Z') || c == ':') first += c;
    if (c == '/' || c == '.') break;
  }
  return describe(first);
}

Option convert(const cxxopts::HelpOptionDetails& details) {
  Option out;
  out.letter = details.s;
  out.name = details.l.empty() ? std::string() : details.l.front();
  out.text = details.desc;
  if (!details.is_boolean) out.argument = describe(details.arg_help);
  out.repeats = details.is_container;
  return out;
}

}  // namespace

std::vector<Table> read_tables() {
  std::vector<Table> out;
  for (const Command& command : commands()) {
    const cxxopts::Options options = command.options();
    Table table{command.name, command.summary, usage_of(options, command.name), {}, {}, command.more};
    table.rest = rest_of(table.usage);
    for (const std::string& group : options.groups()) {
      for (const cxxopts::HelpOptionDetails& details : options.group_help(group).options)
        if (!details.desc.empty())
          table.options.push_back(convert(details));  // else: the words that are no options
    }
    out.push_back(std::move(table));
  }
  return out;
}

}  // namespace podshark::extcap::manual
