// SPDX-License-Identifier: GPL-2.0-or-later
#include "extcap/remote/survey.h"

#include <algorithm>
#include <map>
#include <string_view>
#include <vector>

#include "extcap/remote/clock_watch.h"
#include "extcap/remote/far_run.h"
#include "podman/core/clock.h"
#include "podman/core/text.h"
#include "podman/discover/discover.h"

namespace podshark::extcap::remote {
namespace {

constexpr std::string_view kPart = "podshark-part ";
constexpr std::chrono::milliseconds kLimit{30'000};  // a dozen calls of podman on a slow machine

// Parts that begin with a line of their own: JSON has no such line, whatever is in its strings. Ids are taken
// from the keys only: a quote within a string has a backslash. sudo can not be stopped by who started it, and
// may wait for a name server that is not there: it is asked beside, and given six seconds; an answer that
// comes later does not make its file anew. A user who has never used podman is not given a storage by asking.
// Of a podman:// connection it runs here: a network's name that the service tells would be expanded, or an
// option.
constexpr const char* kAsk = R"(
part() { echo; echo "podshark-part $1"; }
ask() {
  who=$1
  shift
  answer=$(mktemp) || return 1
  trap 'rm -f "$answer"' EXIT
  trap 'exit 1' HUP TERM
  ("$@" ps -q; echo "podshark-code $?" >&2) </dev/null >/dev/null 2>"$answer" &
  waits=0
  while [ $waits -lt 120 ] && ! grep -q '^podshark-code' "$answer"; do
    sleep 0.05 || sleep 1
    waits=$((waits + 1))
  done
  code=$(sed -n 's/^podshark-code //p' "$answer") error=$(grep -v '^podshark-code' "$answer" | tail -n 1)
  rm -f "$answer"
  if [ "$code" != 0 ]; then
    part $who-error; printf '%s\n' "${error:-$1 did not answer within 6 s}"
    return 1
  fi
  list=$(timeout 10 "$@" ps -a --pod --ns --format json)
  part $who-ps; printf '%s\n' "$list"
  ids=$(printf '%s\n' "$list" | grep -o '"Id": *"[0-9a-f]*"' | grep -o '[0-9a-f]\{64\}')
  if [ -n "$ids" ]; then
    part $who-inspect; timeout 10 "$@" inspect --type container $ids
    part $who-networks; timeout 10 "$@" network inspect $(timeout 10 "$@" network ls -q | grep '^[A-Za-z0-9][A-Za-z0-9_.-]*$')
  fi
  part $who-pods; timeout 10 "$@" pod ps --format json
}
)";

constexpr const char* kThere = R"(
part machine; uname -m
part user; id -u
part host; uname -n
part carrier; echo "$SSH_CONNECTION"
part tools
for i in podman tcpdump dumpcap nsenter base64 gunzip mktemp sudo doas; do
  if command -v $i >/dev/null; then echo $i; fi
done
unset CONTAINER_HOST CONTAINER_CONNECTION CONTAINER_SSHKEY
survey() {
  command -v podman >/dev/null || return 0
  uid=$(id -u)
  if [ "$uid" = 0 ] || [ -e "${XDG_DATA_HOME:-$HOME/.local/share}/containers" ] ||
    [ -e "${XDG_CONFIG_HOME:-$HOME/.config}/containers/storage.conf" ]; then
    ask own podman --remote=false
  fi
  [ "$uid" != 0 ] || return 0
  for i in sudo doas; do
    if command -v $i >/dev/null && ask root $i -n podman --remote=false; then part elevate; echo $i; break; fi
  done
}
survey
part clock; date +%s%N
part end
)";

// $1: the connection. Who its podman's user is, it does not tell by number.
constexpr const char* kConnection = R"(
c=$1
read -r machine rootless name <<INFO
$(timeout 10 podman --connection "$c" info --format "{{.Host.Arch}} {{.Host.Security.Rootless}} {{.Host.Hostname}}")
INFO
part machine; echo "$machine"
part user; case $rootless in true) echo 1 ;; *) echo 0 ;; esac
part host; echo "$name"
part tools; command -v podman >/dev/null && echo podman
ask own podman --connection "$c"
part clock; date +%s%N
part end
)";

std::map<std::string, std::string> parts_of(const std::string& text) {
  std::map<std::string, std::string> out;
  std::string* part = nullptr;
  for (std::string_view left = text; !left.empty();) {  // whoever answers may send lines without number
    const std::size_t end = std::min(left.find('\n'), left.size());
    const std::string_view line = left.substr(0, end);
    left.remove_prefix(std::min(end + 1, left.size()));
    if (line.starts_with(kPart)) {
      part = &out[std::string(line.substr(kPart.size()))];
    } else if (part != nullptr) {
      part->append(line).push_back('\n');
    }
  }
  return out;
}

}  // namespace

std::string survey_script(const std::string& connection) {
  const std::string script = std::string(kAsk) + (connection.empty() ? kThere : kConnection);
  return leased_group(shell_words({"sh", "-c", script, "podshark", connection}) + " 2>/dev/null",
                      connection.empty() ? Answers::yes : Answers::no);
}

Result<FarFacts> read_survey(const FarHost& host, const std::string& text, bool all) {
  std::map<std::string, std::string> parts = parts_of(text);
  const auto line = [&](const char* part) { return std::string(trim(one_line(trim(parts[part]), 200))); };
  std::uint64_t uid = 0;
  if (parts.count("end") == 0 || !parse_number(line("user"), ~uid_t{0}, uid))
    return Error{ErrorKind::unsupported, host.name + " did not answer as a Linux machine does", {}};
  FarFacts facts;
  facts.machine = line("machine");
  // As podman, which is written in Go, calls them.
  if (facts.machine == "amd64") facts.machine = "x86_64";
  if (facts.machine == "arm64") facts.machine = "aarch64";
  facts.uid = static_cast<uid_t>(uid);
  facts.carrier = line("carrier");
  facts.elevate = line("elevate");
  facts.clock_ns = read_clock(line("clock")).value_or(now_ns());
  for (const std::string& tool : split(parts["tools"].substr(0, 4096), '\n')) {
    if (!tool.empty()) facts.tools.insert(tool);
  }
  if (facts.tools.count("podman") == 0 && !host.connection.empty())
    return Error{ErrorKind::no_podman, "podman is not installed or not in PATH", "install podman"};
  if (facts.tools.count("podman") == 0)
    return Error{ErrorKind::no_podman, host.name + " has no podman in its PATH", "install podman there"};
  std::vector<discover::PodmanSaid> said;
  for (const char* who : {"own", "root"}) {
    const std::string name = who;
    if (parts.count(name + "-ps") == 0) continue;
    said.push_back({name == "own" ? facts.uid : 0, parts[name + "-ps"], parts[name + "-inspect"],
                    parts[name + "-networks"], parts[name + "-pods"]});
  }
  if (said.empty() && parts.count("own-error") != 0)
    return Error{ErrorKind::no_podman, "podman on " + host.name + " does not answer: " + line("own-error"),
                 host.connection.empty() ? "does 'podman ps' work in a terminal there?"
                                         : "does 'podman --connection " + host.connection + " ps' work?"};
  facts.inventory = discover::read_answers(said, all);
  facts.inventory.host = line("host");
  facts.inventory.time_ns = facts.clock_ns;
  if (facts.uid != 0 && facts.elevate.empty() && host.connection.empty()) {
    const std::string why = line("root-error");
    facts.inventory.problems.push_back(
        {"podman",
         "rootful containers of " + host.name + " are not shown: podshark is not installed there" +
             (why.empty() ? "" : ", and " + why),
         "install it there, or let sudo run podman and nsenter without a password"});
  }
  return facts;
}

Result<FarFacts> survey(const FarHost& host, bool all) {
  const Result<std::string> text = script_output(host, survey_script(host.connection), kLimit);
  if (!text) return text.error();
  return read_survey(host, *text, all);
}

}  // namespace podshark::extcap::remote
