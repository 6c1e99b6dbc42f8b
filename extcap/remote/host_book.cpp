// SPDX-License-Identifier: GPL-2.0-or-later
#include "extcap/remote/host_book.h"

#include <algorithm>
#include <filesystem>

#include "podman/core/text.h"

namespace podshark::extcap::remote {
namespace {

bool blank(char c) {
  return c == ' ' || c == '\t' || c == '\r';
}

// Words between blanks; double quotes hold a word's blanks together. Nothing when one is not closed.
std::optional<std::vector<std::string>> quoted_words(std::string_view line) {
  std::vector<std::string> out;
  bool quoted = false;
  bool inside = false;
  for (const char c : line) {
    if (!quoted && blank(c)) {
      inside = false;
      continue;
    }
    if (!inside) out.emplace_back();
    inside = true;
    if (c == '"') {
      quoted = !quoted;
    } else {
      out.back() += c;
    }
  }
  if (quoted) return std::nullopt;
  return out;
}

Result<FarHost> host_in(std::string_view line) {
  const auto words = quoted_words(line);
  if (!words || words->empty()) return Error{ErrorKind::usage, "a quote is not closed", {}};
  HostFields fields;
  fields.host = words->front();
  for (std::size_t i = 1; i < words->size(); ++i) {
    const std::string& word = (*words)[i];
    const std::size_t equals = word.find('=');
    const std::string name = word.substr(0, equals);
    std::string* field = name == "port"   ? &fields.port
                         : name == "key"  ? &fields.key
                         : name == "jump" ? &fields.jump
                                          : nullptr;
    if (equals == std::string::npos || field == nullptr)
      return Error{ErrorKind::usage, in_quotes(word) + " is not port=, key= or jump=", {}};
    *field = word.substr(equals + 1);
  }
  return host_of(fields);
}

std::string line_of(const HostFields& fields) {
  std::string out(trim(fields.host));
  const auto add = [&](const char* name, const std::string& value) {
    if (value.empty()) return;
    const bool quote = std::any_of(value.begin(), value.end(), blank);
    out += std::string(" ") + name + "=" + (quote ? "\"" + value + "\"" : value);
  };
  add("port", std::string(trim(fields.port)));
  add("key", fields.key);
  add("jump", std::string(trim(fields.jump)));
  return out;
}

std::string_view without_usual_port(std::string_view name) {
  constexpr std::string_view kUsual = ":22";
  if (name.ends_with(kUsual)) name.remove_suffix(kUsual.size());
  return name;
}

}  // namespace

std::string lasting_key(const std::string& key, const std::string& directory) {
  const bool settled = key.empty() || directory.empty() || key.front() == '/' || key.front() == '~' ||
                       key.front() == '%' || key.starts_with("${");
  return settled ? key : (std::filesystem::path(directory) / key).lexically_normal().string();
}

bool same_place(const FarHost& a, const FarHost& b) {
  return without_usual_port(a.name) == without_usual_port(b.name);
}

Result<FarHost> HostBook::accepted(Result<FarHost> host) const {
  if (!host) return host;
  const auto same = [&](const Line& line) { return line.host && same_place(*line.host, *host); };
  if (std::any_of(lines_.begin(), lines_.end(), same))
    return Error{ErrorKind::usage, in_quotes(host->name) + " is there already",
                 "to change it, remove it first"};
  const auto count =
      std::count_if(lines_.begin(), lines_.end(), [](const Line& l) { return l.host.has_value(); });
  if (static_cast<std::size_t>(count) >= kMaxHosts)
    return Error{ErrorKind::usage, "there are " + std::to_string(kMaxHosts) + " hosts already", {}};
  return host;
}

HostBook HostBook::parse(std::string_view text) {
  HostBook book;
  if (text.ends_with('\n')) text.remove_suffix(1);
  if (text.empty()) return book;
  for (const std::string& line : split(text, '\n')) {
    const std::string_view content = trim(line);
    std::optional<FarHost> host;
    if (!content.empty() && content.front() != '#') {
      Result<FarHost> found = book.accepted(host_in(content));
      if (found)
        host = std::move(*found);
      else
        book.problems_.push_back("line " + std::to_string(book.lines_.size() + 1) + ": " +
                                 found.error().line());
    }
    book.lines_.push_back({line, std::move(host)});
  }
  return book;
}

std::string HostBook::text() const {
  std::string out;
  for (const Line& line : lines_) out += line.text + "\n";
  return out;
}

std::vector<FarHost> HostBook::hosts() const {
  std::vector<FarHost> out;
  for (const Line& line : lines_) {
    if (line.host) out.push_back(*line.host);
  }
  return out;
}

Result<FarHost> HostBook::add(const HostFields& fields) {
  const std::string line = line_of(fields);
  const auto control = [](char c) { return static_cast<unsigned char>(c) < ' ' || c == '\x7f'; };
  if (fields.key.find('"') != std::string::npos || std::any_of(line.begin(), line.end(), control))
    return Error{ErrorKind::usage, in_quotes(line) + " cannot be kept in one line",
                 "a key file's name must hold no quotes"};
  Result<FarHost> host = accepted(host_of(fields));
  if (host) lines_.push_back({line, *host});
  return host;
}

Result<FarHost> HostBook::remove(const std::string& name) {
  const Result<FarHost> wanted = parse_host(name);
  const auto it = std::find_if(lines_.begin(), lines_.end(), [&](const Line& line) {
    return wanted && line.host && same_place(*line.host, *wanted);
  });
  if (it == lines_.end())
    return Error{ErrorKind::not_found, in_quotes(name) + " is no saved host", "'podshark hosts' shows them"};
  FarHost gone = *it->host;
  lines_.erase(it);
  return gone;
}

}  // namespace podshark::extcap::remote
