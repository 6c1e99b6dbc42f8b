// SPDX-License-Identifier: GPL-2.0-or-later
// What the commands' own option tables say, in the form that manual pages and completions need.
#pragma once

#include <string>
#include <vector>

namespace podshark::extcap::manual {

/// What may stand where an argument stands.
enum class Kind { free, words, file, target, target_port };

struct Argument {
  std::string name;  ///< as --help calls it; empty: there is none
  Kind kind = Kind::free;
  std::vector<std::string> words;  ///< all, or of Kind::target what there is besides containers
};

struct Option {
  std::string letter;  ///< without dash, may be empty
  std::string name;    ///< without dashes
  std::string text;
  Argument argument;
  bool repeats = false;
};

struct Table {
  std::string command;
  std::string summary;
  std::string usage;  ///< what follows the command's name
  std::vector<Option> options;
  Argument rest;     ///< the words that are no options
  std::string more;  ///< what --help prints below
};

/// One for each of commands(), in that order.
std::vector<Table> read_tables();

}  // namespace podshark::extcap::manual
