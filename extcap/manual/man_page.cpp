// SPDX-License-Identifier: GPL-2.0-or-later
#include "extcap/manual/man_page.h"

#include <cctype>

#include "podman/core/text.h"

namespace podshark::extcap::manual {
namespace {

// As running text: nothing of it means anything to roff.
std::string plain(const std::string& text) {
  std::string out;
  for (const char c : text) {
    if ((c == '.' || c == '\'') && (out.empty() || out.back() == '\n')) out += "\\&";
    if (c == '\\') {
      out += "\\e";
    } else if (c == '-') {
      out += "\\-";
    } else if (c == '\'') {
      out += "\\(aq";
    } else {
      out += c;
    }
  }
  return out;
}

std::string bold(const std::string& text) {
  return "\\fB" + plain(text) + "\\fR";
}

std::string argument(const Argument& a) {
  if (a.name.empty()) return "";
  if (a.kind != Kind::words) return " \\fI" + plain(a.name) + "\\fR";
  std::string out;
  for (const std::string& word : a.words) out += (out.empty() ? " " : "|") + bold(word);
  return out;
}

std::string sentence(std::string text) {
  text[0] = static_cast<char>(std::toupper(static_cast<unsigned char>(text[0])));
  return plain(text) + (text.ends_with('.') ? "" : ".");
}

std::string head(const std::string& page, const std::string& summary) {
  std::string upper;
  for (const char c : page) upper += static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  return ".\\\" Made from the option tables of podshark, by podshark-manual.\n.TH " + upper +
         " 1 \"\" \"podshark " PODSHARK_VERSION "\" \"Podshark\"\n.SH NAME\n" + page + " \\- " +
         plain(summary) + "\n";
}

std::string options(const Table& table) {
  std::string out = ".SH OPTIONS\n";
  for (const Option& o : table.options) {
    out += ".TP\n";
    if (!o.letter.empty()) out += bold("-" + o.letter) + ", ";
    out += bold("--" + o.name) + argument(o.argument) + "\n" + sentence(o.text) + "\n";
  }
  return out;
}

// As --help prints it: columns stay columns.
std::string details(const Table& table) {
  if (table.more.empty()) return "";
  return ".SH DETAILS\n.nf\n" + plain(table.more) + ".fi\n";
}

struct Text {
  std::string description, sections;
};

Text divide(const std::string& text) {
  const std::size_t at = text.starts_with(".SH ") ? 0 : text.find("\n.SH ") + 1;
  if (at == 0 && !text.starts_with(".SH ")) return {text, ""};
  return {text.substr(0, at), text.substr(at)};
}

}  // namespace

std::string man_page(const Table& table, const std::string& text) {
  const Text part = divide(text);
  return head("podshark-" + table.command, table.summary) + ".SH SYNOPSIS\n" +
         bold("podshark " + table.command) + " " + plain(table.usage) + "\n.SH DESCRIPTION\n" +
         part.description + options(table) + details(table) + part.sections +
         ".SH EXIT STATUS\n0: done. The codes of failures are in\n.BR podshark (1).\n" +
         ".SH SEE ALSO\n.BR podshark (1),\n.BR podman (1),\n.BR wireshark (1)\n";
}

std::string main_page(const std::vector<Table>& tables, const std::string& text) {
  const Text part = divide(text);
  std::string out =
      head("podshark", "Podman container networking in Wireshark") +
      ".SH SYNOPSIS\n.B podshark\n.I COMMAND\n[options]\n.PP\n.B podshark\n\\-\\-help | \\-\\-version\n" +
      ".SH DESCRIPTION\n" + part.description + ".SH COMMANDS\n";
  std::string also = ".SH SEE ALSO\n";
  for (const Table& table : tables) {
    out += ".TP\n" + bold(table.command) + "\n" + sentence(table.summary) + "\n";
    also += ".BR podshark\\-" + table.command + " (1),\n";
  }
  return out + part.sections + also + ".BR podman (1),\n.BR pcap\\-filter (7),\n.BR wireshark (1)\n";
}

}  // namespace podshark::extcap::manual
