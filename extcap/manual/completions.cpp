// SPDX-License-Identifier: GPL-2.0-or-later
#include "extcap/manual/completions.h"

namespace podshark::extcap::manual {
namespace {

// Containers, pod/NAME, net/NAME and all, of this machine; nothing that a shell takes for more than a name.
constexpr const char* kTargets =
    "podshark --extcap-interfaces 2>/dev/null | sed -n -e '/{value=podman[^:]*:choose}/d'"
    " -e 's|^interface {value=podman\\(-root\\)\\{0,1\\}:\\([A-Za-z0-9_./-]*\\)}.*|\\2|p'";

std::string replaced(std::string text, const std::string& what, const std::string& with) {
  for (std::size_t at = text.find(what); at != std::string::npos; at = text.find(what, at + with.size()))
    text.replace(at, what.size(), with);
  return text;
}

std::string filled(std::string frame, const std::string& commands, std::string cases) {
  if (cases.ends_with('\n')) cases.pop_back();
  frame = replaced(frame, "@TARGETS@", kTargets);
  frame = replaced(frame, "@COMMANDS@", commands);
  return replaced(frame, "@CASES@", cases);
}

std::string joined(const std::vector<std::string>& words) {
  std::string out;
  for (const std::string& word : words) out += (out.empty() ? "" : " ") + word;
  return out;
}

// What completion.bash is to look for.
std::string bash_kind(const Argument& argument) {
  switch (argument.kind) {
    case Kind::words:
      return "words " + joined(argument.words);
    case Kind::target:
      return "target " + joined(argument.words);
    case Kind::target_port:
      return "port";
    case Kind::file:
      return "file";
    case Kind::free:
      break;
  }
  return "words";
}

std::string bash_case(const Table& table) {
  std::string names;
  std::string values;
  for (const Option& o : table.options) {
    names += (names.empty() ? "--" : " --") + o.name;
    if (o.argument.name.empty()) continue;
    values += "        " + (o.letter.empty() ? "" : "-" + o.letter + " | ") + "--" + o.name + ") kind='" +
              bash_kind(o.argument) + "' ;;\n";
  }
  std::string out =
      "    *:" + table.command + ")\n      options='" + names + "' rest='" + bash_kind(table.rest) + "'\n";
  if (!values.empty()) out += "      case $before in\n" + values + "      esac\n";
  return out + "      ;;\n";
}

std::string zsh_quoted(const std::string& text) {
  return replaced(text, "'", "'\\''");
}

std::string zsh_text(std::string text) {
  for (const char* special : {"[", "]", ":"}) text = replaced(text, special, std::string("\\") + special);
  return zsh_quoted(text);
}

std::string zsh_argument(const Argument& argument) {
  const std::string message = ":" + zsh_text(argument.name) + ":";
  switch (argument.kind) {
    case Kind::words:
      return message + "(" + joined(argument.words) + ")";
    case Kind::target:
      return message + (argument.words.empty() ? "_podshark_targets" : "_podshark_hosts_and_targets");
    case Kind::target_port:
      return message + "_podshark_targets -S \\:";
    case Kind::file:
      return message + "_files";
    case Kind::free:
      break;
  }
  return message;
}

// One line for the letter, one for the name, each excluding both.
std::string zsh_option(const Option& o) {
  const std::string both = o.letter.empty() ? "--" + o.name : "-" + o.letter + " --" + o.name;
  const std::string before = "        '" + (o.repeats ? "*" : "(" + both + ")");
  const bool value = !o.argument.name.empty();
  const std::string after = "[" + zsh_text(o.text) + "]" + (value ? zsh_argument(o.argument) : "") + "' \\\n";
  std::string out;
  if (!o.letter.empty()) out += before + "-" + o.letter + (value ? "+" : "") + after;
  return out + before + "--" + o.name + (value ? "=" : "") + after;
}

std::string zsh_case(const Table& table) {
  std::string out = "    " + table.command + ")\n      _arguments -s -S \\\n";
  for (const Option& o : table.options) out += zsh_option(o);
  if (!table.rest.name.empty()) out += "        '*" + zsh_argument(table.rest) + "' \\\n";
  return out + "        && return ;;\n";
}

std::string fish_quoted(const std::string& text) {
  return "'" + replaced(replaced(text, "\\", "\\\\"), "'", "\\'") + "'";
}

std::string fish_argument(const Argument& argument) {
  switch (argument.kind) {
    case Kind::words:
      return " -x -a " + fish_quoted(joined(argument.words));
    case Kind::target:
      return " -x -a " + fish_quoted("(__podshark_targets) " + joined(argument.words));
    case Kind::target_port:
      return " -x -a " + fish_quoted("(__podshark_targets):");
    case Kind::file:
      return " -r -F";
    case Kind::free:
      break;
  }
  return " -x";
}

std::string fish_lines(const Table& table) {
  std::string out = "complete -c podshark -n 'test (count (commandline -opc)) -eq 1' -a " + table.command +
                    " -d " + fish_quoted(table.summary) + "\n";
  const std::string here = "complete -c podshark -n '__podshark_is " + table.command + "'";
  for (const Option& o : table.options) {
    out += here + (o.letter.empty() ? "" : " -s " + o.letter) + " -l " + o.name +
           (o.argument.name.empty() ? "" : fish_argument(o.argument)) + " -d " + fish_quoted(o.text) + "\n";
  }
  if (table.rest.kind != Kind::free) out += here + fish_argument(table.rest) + "\n";
  return out;
}

}  // namespace

std::string bash_completion(std::string frame, const std::vector<Table>& tables) {
  std::vector<std::string> commands;
  std::string cases;
  for (const Table& table : tables) {
    commands.push_back(table.command);
    cases += bash_case(table);
  }
  return filled(std::move(frame), joined(commands), cases);
}

std::string zsh_completion(std::string frame, const std::vector<Table>& tables) {
  std::string commands;
  std::string cases;
  for (const Table& table : tables) {
    commands +=
        (commands.empty() ? "    '" : "\n    '") + table.command + ":" + zsh_quoted(table.summary) + "'";
    cases += zsh_case(table);
  }
  return filled(std::move(frame), commands, cases);
}

std::string fish_completion(std::string frame, const std::vector<Table>& tables) {
  std::string lines;
  for (const Table& table : tables) lines += fish_lines(table);
  return filled(std::move(frame), "", lines);
}

}  // namespace podshark::extcap::manual
