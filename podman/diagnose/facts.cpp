// SPDX-License-Identifier: GPL-2.0-or-later
#include "podman/diagnose/facts.h"

#include <algorithm>
#include <charconv>

#include "podman/core/text.h"

namespace podshark::diagnose {
namespace {

template <typename List, typename Match>
auto* find(const List& list, Match match) {
  const auto it = std::find_if(list.begin(), list.end(), match);
  return it == list.end() ? nullptr : &*it;
}

}  // namespace

const model::Link* Netns::link(int ifindex) const {
  return find(links, [&](const model::Link& l) { return l.ifindex == ifindex; });
}

const model::Link* Netns::link(const std::string& name) const {
  return find(links, [&](const model::Link& l) { return l.name == name; });
}

const model::LinkSettings* Netns::settings(int ifindex) const {
  return find(state.links, [&](const model::LinkSettings& s) { return s.ifindex == ifindex; });
}

std::optional<std::int64_t> Netns::sysctl(const std::string& name) const {
  const auto it = sysctls.find(name);
  if (it == sysctls.end()) return std::nullopt;
  const std::string_view text = trim(it->second);
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

bool ContainerFacts::bridged() const {
  return container->alive() && container->kind == model::NetworkKind::bridge;
}

std::string ContainerFacts::name() const {
  return one_line(container->name.empty() ? container->id.substr(0, 12) : container->name, 64);
}

std::string ContainerFacts::subject() const {
  return container->infra && !pod.empty() ? "pod " + one_line(pod, 64) : "container " + name();
}

const ContainerFacts* Facts::by_id(const std::string& id) const {
  return find(containers, [&](const ContainerFacts& c) { return c.container->id == id; });
}

const model::Network* Facts::network(const std::string& name) const {
  return find(inventory.networks, [&](const model::Network& n) { return n.name == name; });
}

}  // namespace podshark::diagnose
