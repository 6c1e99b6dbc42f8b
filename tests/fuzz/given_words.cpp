// SPDX-License-Identifier: GPL-2.0-or-later
// libFuzzer target: what Wireshark and people write: extcap's arguments, names of containers, machines and
// pods, probe's and check's targets, the agent's own arguments, the file of saved hosts. The first byte of
// the input chooses; words end with a byte 0. What comes out may become a word of ssh, kubectl or podman, and
// must not be taken for an option there.
#include "extcap/agent/arguments.h"
#include "extcap/capture/file_set.h"
#include "extcap/check/question.h"
#include "extcap/extcap.h"
#include "extcap/kube/pod_name.h"
#include "extcap/kube/probe.h"
#include "extcap/options.h"
#include "extcap/probe/outside.h"
#include "extcap/probe/request.h"
#include "extcap/remote/host_book.h"
#include "extcap/remote/line.h"
#include "podman/probe/dns_message.h"
#include "tests/fuzz/clean.h"

namespace {

using namespace podshark;
using namespace podshark::extcap;
using fuzz::clean;
using fuzz::require;

using Words = std::vector<std::string>;

const model::Inventory& inventory() {
  static const model::Inventory known = [] {
    model::Inventory out;
    for (const char* name : {"web", "db"}) {
      model::Container c;
      c.id = std::string(63, 'a') + name[0];
      c.name = name;
      c.pid = 17;
      c.pod_id = std::string(64, 'c');
      c.ports = {{"", 8080, 80, 1, "tcp"}};
      c.networks = {{"lan", "eth0", "", {"10.89.0.2/24"}, ""}};
      c.labels = {{"app", "web"}};
      out.containers.push_back(c);
    }
    out.pods = {{std::string(64, 'c'), "shop", "running", "", {out.containers[0].id, out.containers[1].id}}};
    model::Network lan;
    lan.name = "lan";
    lan.driver = "bridge";
    out.networks = {lan};
    return out;
  }();
  return known;
}

void extcap_call(const Words& words) {
  (void)is_extcap_call(words);
  const ExtcapArguments args(words);
  SessionOptions options;
  const Status read = read_link_options(
      [&](const std::string& name) -> std::optional<std::string> {
        if (!args.has(name)) return std::nullopt;
        return args.get(name);
      },
      options);
  if (!read) return clean(read.error());
  require(options.link.snaplen >= 1 && options.link.snaplen <= kMaxSnaplen);
  require(!options.roster.methods.sidecar_image.starts_with('-'));
  require(!options.roster.methods.node_image.starts_with('-'));
}

void containers(const Words& words) {
  const Result<Targets> found = resolve(words, inventory(), /* caller= */ 0);
  if (!found) clean(found.error());
  if (found) {
    for (const Target& t : found->running) clean(what(t));
  }
  (void)resolve_running(words, inventory(), 0);
  for (const std::string& word : words) (void)names_a_group(word);
  const std::string from = words.empty() ? "" : words[0], target = words.size() < 2 ? "" : words[1];
  if (const auto question = check::read_question(from, target, inventory()); !question)
    clean(question.error());
}

void no_option(const remote::FarHost& host) {
  require(!host.destination.starts_with('-') && !host.connection.starts_with('-'));
  require(host.destination.find("@-") == std::string::npos);
  require(!host.destination.empty() || !host.connection.empty());
  clean(host.name);
  // A value stands behind each of ssh's options here, and none is an option itself but a key's file.
  require(host.options.size() % 2 == 0);
  for (std::size_t i = 0; i < host.options.size(); i += 2)
    require(host.options[i] == "-i" || (host.options[i] == "-J" && !host.options[i + 1].starts_with('-')));
}

void machine(Words words) {
  words.resize(5);
  if (const auto host = remote::parse_host(words[0])) no_option(*host);
  if (const auto far = remote::parse_far_target(words[0])) {
    no_option(far->host);
    require(!far->target.empty());
  }
  if (const auto host = remote::host_of({words[0], words[1], words[2], words[3], words[4]})) no_option(*host);
  if (const auto to = probing::parse_ssh(words[0])) require(to->starts_with("ssh://"));
}

void book(const std::string& text, const Words& words) {
  remote::HostBook known = remote::HostBook::parse(text);
  for (const std::string& problem : known.problems()) clean(problem);
  const auto same = [](const remote::HostBook& a, const remote::HostBook& b) {
    return a.hosts() == b.hosts();
  };
  require(same(known, remote::HostBook::parse(known.text())));
  for (const remote::FarHost& host : known.hosts()) no_option(host);
  if (words.size() < 4) return;
  const auto added = known.add({words[0], words[1], "", words[2], words[3]});
  require(same(known, remote::HostBook::parse(known.text())));
  if (added) require(static_cast<bool>(known.remove(added->name)));
}

void pod(const std::string& text) {
  const auto plain = [](const std::string& word) { return !word.starts_with('-'); };
  if (const auto name = kube::parse_pod_name(text)) {
    for (const auto& word : {name->name_space, name->pod, name->container, name->owner_kind, name->owner})
      require(plain(word));
    (void)kube::names_several(*name);
    (void)kube::chosen(*name, {});
    clean(one_line(kube::to_string(*name), 300));
  }
  if (const auto port = kube::parse_pod_port(text)) require(port->port != 0 && plain(port->pod.pod));
}

void probe_target(const std::string& text) {
  if (const auto target = probing::parse_target(text)) require(!target->host.empty() && target->port != 0);
  (void)probing::parse_seconds(text, std::chrono::milliseconds(1), std::chrono::milliseconds(60'000));
  RotationRule rule;
  if (const Status s = read_rotation(text, rule); !s) clean(s.error());
  if (const auto query = probe::dns_query(1, text, probe::kDnsA)) require(query->size() <= 12 + 255 + 4);
}

// What sh makes of it is what went in.
void quoted(const std::string& text) {
  std::string out;
  bool inside = false;
  const std::string word = remote::shell_word(text);
  for (std::size_t i = 0; i < word.size(); ++i) {
    const char c = word[i];
    if (c == '\'') {
      inside = !inside;
    } else if (!inside && c == '\\') {
      require(++i < word.size());
      out += word[i];
    } else {
      require(inside || std::string_view(" \t\n;&|<>()$`\"*?[#~!{}").find(c) == std::string_view::npos);
      out += c;
    }
  }
  require(!inside && out == text);
}

void agent_words(Words words) {
  static const auto read = std::make_unique<agent::CaptureArguments>();
  std::vector<char*> argv;
  for (std::string& word : words) argv.push_back(word.data());
  *read = {};
  agent::Complaint why;
  if (!agent::parse_capture(static_cast<int>(argv.size()), argv.data(), read.get(), &why)) return;
  require(read->target_count > 0 && read->target_count <= agent::kMaxTargets);
  require(read->snaplen >= 1 && read->snaplen <= wire::kMaxBlock);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  fuzz::Input input(data, size);
  switch (input.byte() % 8) {
    case 0:
      extcap_call(input.texts());
      break;
    case 1:
      containers(input.texts());
      break;
    case 2:
      machine(input.texts());
      break;
    case 3: {
      const std::string text = input.text();
      book(text, input.texts());
      break;
    }
    case 4:
      pod(input.text());
      break;
    case 5:
      probe_target(input.text());
      break;
    case 6:
      quoted(input.text());
      break;
    default:
      agent_words(input.texts());
  }
  return 0;
}
