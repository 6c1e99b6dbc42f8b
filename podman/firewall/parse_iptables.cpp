// SPDX-License-Identifier: GPL-2.0-or-later
#include "podman/firewall/parse_iptables.h"

#include <algorithm>
#include <array>
#include <unordered_map>

#include "podman/core/text.h"
#include "podman/firewall/iptables_match.h"
#include "podman/firewall/iptables_target.h"

namespace podshark::firewall {
namespace {

struct BuiltIn {
  std::string_view table;
  std::string_view chain;
  Hook hook;
  std::int64_t priority;
};

// NF_IP_PRI_* of linux/netfilter_ipv4.h; the same for IPv6.
constexpr BuiltIn kBuiltIn[] = {
    {"raw", "PREROUTING", Hook::prerouting, -300},
    {"raw", "OUTPUT", Hook::output, -300},
    {"mangle", "PREROUTING", Hook::prerouting, -150},
    {"mangle", "INPUT", Hook::input, -150},
    {"mangle", "FORWARD", Hook::forward, -150},
    {"mangle", "OUTPUT", Hook::output, -150},
    {"mangle", "POSTROUTING", Hook::postrouting, -150},
    {"nat", "PREROUTING", Hook::prerouting, -100},
    {"nat", "INPUT", Hook::input, 100},
    {"nat", "OUTPUT", Hook::output, -100},
    {"nat", "POSTROUTING", Hook::postrouting, 100},
    {"filter", "INPUT", Hook::input, 0},
    {"filter", "FORWARD", Hook::forward, 0},
    {"filter", "OUTPUT", Hook::output, 0},
    {"security", "INPUT", Hook::input, 50},
    {"security", "FORWARD", Hook::forward, 50},
    {"security", "OUTPUT", Hook::output, 50},
};

// "[12:720]" of a chain or in front of a rule.
std::optional<Counters> counters(std::string_view text) {
  if (text.size() < 5 || text.front() != '[' || text.back() != ']') return std::nullopt;
  text = text.substr(1, text.size() - 2);
  const std::size_t colon = text.find(':');
  Counters out;
  if (colon == std::string_view::npos || !parse_number(text.substr(0, colon), UINT64_MAX, out.packets) ||
      !parse_number(text.substr(colon + 1), UINT64_MAX, out.bytes)) {
    return std::nullopt;
  }
  return out;
}

class Reader {
 public:
  Reader(Family family, Maker maker, const Limits& limits)
      : family_(family), maker_(maker), limits_(limits) {}
  void line(std::string_view text);
  Ruleset result() && { return std::move(out_); }

 private:
  void start_table(std::string_view name);
  void add_chain(std::string_view text);
  void add_rule(std::string_view text);
  void read_rule(const std::vector<std::string>& words, std::size_t from, Rule& rule);
  void note_once(bool& said, const char* what) {
    if (!said) out_.note(what);
    said = true;
  }

  Family family_;
  Maker maker_;
  const Limits& limits_;
  Ruleset out_;
  std::string table_;
  std::unordered_map<std::string, std::size_t> at_;  // chains of this table
  std::size_t rules_ = 0;
  bool said_chains_ = false;
  bool said_rules_ = false;
};

void Reader::start_table(std::string_view name) {
  table_ = std::string(trim(name).substr(0, kMaxName));
  at_.clear();
}

void Reader::add_chain(std::string_view text) {
  const std::vector<std::string> words = shell_words(text);
  if (words.empty()) return;
  if (out_.chains.size() >= limits_.chains) {
    return note_once(said_chains_, "more chains than we read; the rest was left out");
  }
  Chain c;
  c.family = family_;
  c.table = table_;
  c.name = words[0].substr(0, kMaxName);
  c.maker = maker_;
  const auto* built_in = std::find_if(std::begin(kBuiltIn), std::end(kBuiltIn), [&](const BuiltIn& b) {
    return b.table == c.table && b.chain == c.name;
  });
  if (built_in != std::end(kBuiltIn)) {
    c.hook = built_in->hook;
    c.priority = built_in->priority;
    const bool route = c.table == "mangle" && c.name == "OUTPUT";
    c.type = c.table == "nat" ? ChainType::nat : (route ? ChainType::route : ChainType::filter);
    c.policy = words.size() > 1 && words[1] == "DROP" ? Policy::drop : Policy::accept;
    if (words.size() > 2) c.policy_counters = counters(words[2]);
  }
  if (at_.try_emplace(c.name, out_.chains.size()).second) out_.chains.push_back(std::move(c));
}

void Reader::read_rule(const std::vector<std::string>& words, std::size_t from, Rule& rule) {
  const std::vector<Option> all = options(words, from);
  MatchReader matches(family_, rule);
  for (std::size_t i = 0; i < all.size(); ++i) {
    const Option& o = all[i];
    if (o.name == "-j" || o.name == "-g" || o.name == "--jump" || o.name == "--goto") {
      Statement s;
      const std::string target(o.argument().substr(0, kMaxName));
      if (at_.contains(target)) {
        s.action = o.name == "-g" || o.name == "--goto" ? Action::go_to : Action::jump;
        s.target = target;
      } else {
        s = parse_target(target, {all.begin() + static_cast<std::ptrdiff_t>(i) + 1, all.end()});
      }
      s.after = rule.matches.size();
      if (s.action != Action::nothing) rule.statements.push_back(std::move(s));
      return;
    }
    if (rule.matches.size() >= kMaxMatches) {
      rule.matches.back() = unknown_match("more matches than we read");
      continue;
    }
    matches.take(o);
  }
}

void Reader::add_rule(std::string_view text) {
  if (rules_ >= limits_.rules)
    return note_once(said_rules_, "more rules than we read; the rest was left out");
  Rule rule;
  if (text.starts_with("[")) {
    const std::size_t end = std::min(text.find(' '), text.size());
    rule.counters = counters(text.substr(0, end));
    text = trim(text.substr(end));
  }
  const std::vector<std::string> words = shell_words(text);
  const auto found = words.size() < 2 || words[0] != "-A" ? at_.end() : at_.find(words[1]);
  if (found == at_.end())
    return out_.note("line of iptables-save not understood: " + std::string(text.substr(0, 200)));
  ++rules_;
  Chain& chain = out_.chains[found->second];
  rule.number = chain.rules.size() + 1;
  rule.text = one_line(text, kMaxRuleText);
  read_rule(words, 2, rule);
  chain.rules.push_back(std::move(rule));
}

void Reader::line(std::string_view text) {
  text = trim(text);
  if (text.empty() || text == "COMMIT") return;
  switch (text[0]) {
    case '#':
      // "# Table `foo' is incompatible, use 'nft' tool.", "# Warning: iptables-legacy tables present …"
      if (text.find("incompatible") != std::string_view::npos) out_.note(std::string(text.substr(1)));
      return;
    case '*':
      return start_table(text.substr(1));
    case ':':
      return add_chain(text.substr(1));
    default:
      return add_rule(text);
  }
}

}  // namespace

Result<Ruleset> parse_iptables_save(std::string_view text, Family family, Maker maker, const Limits& limits) {
  if (text.size() > limits.bytes) {
    return Error{ErrorKind::internal,
                 "rules of iptables-save: answer is larger than " + std::to_string(limits.bytes) + " bytes",
                 "Podshark does not judge that many rules"};
  }
  Reader reader(family, maker, limits);
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    reader.line(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return std::move(reader).result();
}

}  // namespace podshark::firewall
