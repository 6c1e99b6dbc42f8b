// SPDX-License-Identifier: GPL-2.0-or-later
#include "plugin/commands.h"

#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <string_view>

#include "podman/core/text.h"

namespace podshark::plugin {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kLongestLine = 4096;
constexpr std::string_view kWhereToSet = "Edit → Preferences → Protocols → Podman";

const char* first_of(const char* src, const char* dst) {
  return src != nullptr && *src != '\0' ? src : dst != nullptr && *dst != '\0' ? dst : nullptr;
}

Action filter_action(std::string_view name, const std::string& filter) {
  return {"Filter on " + one_line(name, 40), filter, 0, {}};
}

// errno of starting it, as far as the file itself can tell.
int obstacle(const std::string& path) {
  struct stat info {};
  if (::stat(path.c_str(), &info) != 0) return errno;
  if (S_ISDIR(info.st_mode)) return EISDIR;
  return ::access(path.c_str(), X_OK) == 0 ? 0 : errno;
}

std::string in_path(const std::string& path, const std::string& name) {
  for (const std::string& directory : split(path, ':')) {
    if (!directory.empty() && obstacle(directory + "/" + name) == 0) return directory + "/" + name;
  }
  return {};
}

Result<std::string> preferred(const Places& places) {
  const bool name_only = places.preference.find('/') == std::string::npos;
  const std::string found = name_only ? in_path(places.path, places.preference) : places.preference;
  const int error = found.empty() ? ENOENT : obstacle(found);
  if (error == 0) return found;
  return Error{ErrorKind::not_found,
               "the preference podman.program names " + in_quotes(places.preference) +
                   ", which cannot be started: " + std::strerror(error),
               "correct or empty it in " + std::string(kWhereToSet)};
}

std::string stem_of(const fs::path& file) {
  fs::path stem = file.filename();
  if (stem.extension() == ".gz" || stem.extension() == ".zst" || stem.extension() == ".lz4")
    stem = stem.stem();
  if (!stem.stem().empty()) stem = stem.stem();
  return stem.string();
}

}  // namespace

std::string equals(std::string_view field, std::string_view text) {
  std::string out = std::string(field) + " == \"";
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (byte < 0x20 || byte == 0x7F) {
      out += "\\x" + hex(byte, 2);
    } else {
      out += c;
    }
  }
  return out + '"';
}

std::optional<Action> container_action(const EndNames& src, const EndNames& dst) {
  const char* name = first_of(src.name, dst.name);
  if (name == nullptr) return std::nullopt;
  return filter_action(name, equals("podman.name", name));
}

std::optional<Action> pod_action(const EndNames& src, const EndNames& dst) {
  const char* pod = first_of(src.pod, dst.pod);
  if (pod == nullptr) return std::nullopt;
  return filter_action(pod, equals("podman.src.pod", pod) + " || " + equals("podman.dst.pod", pod));
}

Result<std::string> find_podshark(const Places& places) {
  if (!places.preference.empty()) return preferred(places);
  if (!places.installed.empty() && obstacle(places.installed) == 0) return places.installed;
  if (const std::string found = in_path(places.path, "podshark"); !found.empty()) return found;
  const std::string extcap = places.extcap.empty() ? "" : places.extcap + "/podshark";
  if (!extcap.empty() && obstacle(extcap) == 0) return extcap;
  return Error{ErrorKind::not_found,
               "the program podshark is not found: it is neither " + in_quotes(places.installed) +
                   ", nor in PATH, nor " + in_quotes(extcap),
               "install its package or run install/setup.sh, or name it in " + std::string(kWhereToSet)};
}

Argv list_command(const std::string& program) {
  return {program, "list"};
}

Argv doctor_command(const std::string& program) {
  return {program, "doctor"};
}

// Both files are absolute, so that none looks like an option.
Argv annotate_command(const std::string& program, const std::string& in, const std::string& out) {
  return {program, "annotate", fs::absolute(in).string(), "-o", fs::absolute(out).string(), "--live"};
}

// People copy it into a shell, and a capture's name may be anything.
std::string shown(const Argv& argv) {
  std::string out = "$";
  for (const std::string& word : argv) {
    const auto plain = [](char c) {
      return std::isalnum(static_cast<unsigned char>(c)) != 0 ||
             std::string_view("@%_+=:,./-").find(c) != std::string_view::npos;
    };
    std::string quoted = word;
    if (word.empty() || !std::all_of(word.begin(), word.end(), plain)) {
      for (std::size_t at = 0; (at = quoted.find('\'', at)) != std::string::npos; at += 4)
        quoted.replace(at, 1, "'\\''");
      quoted = "'" + quoted + "'";
    }
    out += ' ' + one_line(quoted, 1024);
  }
  return out;
}

std::string ending(int status, bool stopped) {
  if (stopped) return "[stopped]";
  if (WIFSIGNALED(status)) {
    const int number = WTERMSIG(status);
    return "[ended by signal " + std::to_string(number) + ", " + ::strsignal(number) + "]";
  }
  const int code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  // Answers, not failures.
  if (code == static_cast<int>(ErrorKind::found)) return "[done: something is wrong]";
  if (code == static_cast<int>(ErrorKind::unreachable)) return "[done: it could not be reached]";
  return code == 0 ? "[done]" : "[failed: exit code " + std::to_string(code) + "]";
}

std::string suggested_copy(const std::string& original, const std::string& folder) {
  const fs::path file = fs::absolute(original);
  return ((folder.empty() ? file.parent_path() : fs::path(folder)) / (stem_of(file) + "-podman.pcapng"))
      .string();
}

Result<std::string> copy_path(std::string_view typed, const std::string& original, const std::string& home) {
  typed = trim(typed);
  if (typed.empty())
    return Error{ErrorKind::usage, "the copy was given no name",
                 "choose Save annotated copy again and type one"};
  fs::path path(typed);
  if (typed.substr(0, 2) == "~/") path = fs::path(home) / typed.substr(2);
  if (path.is_relative()) path = fs::absolute(original).parent_path() / path;
  struct stat info {};
  if (::lstat(path.c_str(), &info) == 0) {
    return Error{ErrorKind::output, in_quotes(path.string()) + " exists already, and nothing is overwritten",
                 "choose another name for the copy"};
  }
  return path.string();
}

std::string CleanLines::add(std::string_view bytes) {
  std::string out;
  for (const char c : bytes) {
    if (c != '\n') pending_ += c;
    if (c == '\n' || pending_.size() > kLongestLine)
      out += one_line(std::exchange(pending_, {}), kLongestLine) + '\n';
  }
  return out;
}

std::string CleanLines::rest() {
  return pending_.empty() ? "" : add("\n");
}

}  // namespace podshark::plugin
