// SPDX-License-Identifier: GPL-2.0-or-later
// podshark-manual TEXTS OUT: writes manual pages and completions into OUT, from the commands' option tables
// and, for what these do not say, TEXTS/podshark.roff and TEXTS/podshark-COMMAND.roff. Part of the build, not
// installed.
#include <cerrno>
#include <cstring>
#include <fstream>
#include <iostream>
#include <sstream>

#include "extcap/manual/completions.h"
#include "extcap/manual/man_page.h"

namespace {

namespace manual = podshark::extcap::manual;

bool failed(const char* what, const std::string& path) {
  std::cerr << "podshark-manual: " << what << " '" << path << "': " << std::strerror(errno) << '\n';
  return false;
}

bool read_file(const std::string& path, std::string& out) {
  std::ifstream file(path);
  std::ostringstream text;
  text << file.rdbuf();
  if (!file) return failed("read", path);
  out = text.str();
  return true;
}

bool write_file(const std::string& path, const std::string& text) {
  std::ofstream file(path);
  file << text;
  file.close();
  return file || failed("write", path);
}

using Make = std::string (*)(std::string frame, const std::vector<manual::Table>& tables);

bool write_completion(const std::string& texts, const std::string& out, const std::string& shell, Make make,
                      const std::vector<manual::Table>& tables) {
  std::string frame;
  return read_file(texts + "/completion." + shell, frame) &&
         write_file(out + "/podshark." + shell, make(std::move(frame), tables));
}

bool write_all(const std::string& texts, const std::string& out) {
  const std::vector<manual::Table> tables = manual::read_tables();
  std::string text;
  for (const manual::Table& table : tables) {
    const std::string page = "/podshark-" + table.command;
    if (!read_file(texts + page + ".roff", text)) return false;
    if (!write_file(out + page + ".1", manual::man_page(table, text))) return false;
  }
  return read_file(texts + "/podshark.roff", text) &&
         write_file(out + "/podshark.1", manual::main_page(tables, text)) &&
         write_completion(texts, out, "bash", manual::bash_completion, tables) &&
         write_completion(texts, out, "zsh", manual::zsh_completion, tables) &&
         write_completion(texts, out, "fish", manual::fish_completion, tables);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) {
    std::cerr << "usage: podshark-manual TEXTS OUT\n";
    return 2;
  }
  return write_all(argv[1], argv[2]) ? 0 : 1;
}
