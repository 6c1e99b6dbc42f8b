// SPDX-License-Identifier: GPL-2.0-or-later
// Every function appends to one string and stops when it is long enough, so hostile nesting costs nothing.
#include "podman/firewall/nft_text.h"

#include "podman/core/text.h"

namespace podshark::firewall {
namespace {

constexpr std::size_t kShownElements = 8;

class Writer {
 public:
  void expression(const json& e);
  void statement(const json& s);
  void match(const json& m);
  std::string out;

 private:
  [[nodiscard]] bool full() const { return out.size() > kMaxRuleText || depth_ > kMaxDepth; }
  void tagged_expression(const std::string& name, const json& v);
  void list(const json& items, const char* between, std::size_t shown = kMaxRuleText);
  void set(const json& elements);
  void element(const json& e);
  void nat(const std::string& name, const json& v);
  void tagged_statement(const std::string& name, const json& v);
  void other_statement(const std::string& name, const json& v);

  std::size_t depth_ = 0;
};

std::string joined_flags(const json& flags) {
  std::string out;
  if (flags.is_string()) return text(flags);
  for (const json& f : flags) {
    if (out.size() > kMaxName) break;
    out += (out.empty() ? "" : ",") + text(f);
  }
  return out;
}

std::string fib_text(const json& v) {
  std::string out = "fib ";
  bool first = true;
  for (const json& flag : member(v, "flags")) {
    if (out.size() > kMaxName) break;
    out += (first ? "" : " . ") + text(flag);
    first = false;
  }
  return out + " " + text(v, "result");
}

std::string payload_text(const json& v) {
  if (!member(v, "protocol").is_null()) return text(v, "protocol") + " " + text(v, "field");
  return "@" + text(v, "base") + "," + std::to_string(number(member(v, "offset"), 65535).value_or(0)) + "," +
         std::to_string(number(member(v, "len"), 65535).value_or(0));
}

void Writer::list(const json& items, const char* between, std::size_t shown) {
  std::size_t count = 0;
  for (const json& item : items) {
    if (full()) return;
    if (count++ > 0) out += between;
    if (count > shown) {
      out += "…";
      return;
    }
    expression(item);
  }
}

// An element of a set, or [key, value] of a map.
void Writer::element(const json& e) {
  if (!e.is_array() || e.size() != 2) return expression(e);
  expression(e[0]);
  out += " : ";
  const Tagged verdict = tagged(e[1]);
  if (verdict.name == "accept" || verdict.name == "drop" || verdict.name == "return" ||
      verdict.name == "jump" || verdict.name == "goto" || verdict.name == "continue") {
    statement(e[1]);
  } else {
    expression(e[1]);
  }
}

void Writer::set(const json& elements) {
  if (!elements.is_array()) return expression(elements);
  out += "{ ";
  std::size_t count = 0;
  for (const json& e : elements) {
    if (full()) return;
    if (count++ > 0) out += ", ";
    if (count > kShownElements) {
      out += "…";
      break;
    }
    element(e);
  }
  out += " }";
}

void Writer::tagged_expression(const std::string& name, const json& v) {
  if (name == "payload") {
    out += payload_text(v);
  } else if (name == "meta") {
    const std::string key = text(v, "key");
    const bool bare = key == "iif" || key == "oif" || key == "iifname" || key == "oifname";
    out += (bare ? "" : "meta ") + key;
  } else if (name == "ct" || name == "rt" || name == "socket") {
    const std::string direction = text(v, "dir");
    out += name + (direction.empty() ? " " : " " + direction + " ") + text(v, "key");
  } else if (name == "fib") {
    out += fib_text(v);
  } else if (name == "prefix") {
    expression(member(v, "addr"));
    out += "/" + std::to_string(number(member(v, "len"), 128).value_or(0));
  } else if (name == "range") {
    list(v, "-");
  } else if (name == "concat") {
    list(v, " . ");
  } else if (name == "set") {
    set(v);
  } else if (name == "map") {
    expression(member(v, "key"));
    out += " map ";
    expression(member(v, "data"));
  } else if (name == "elem") {
    expression(member(v, "val"));
  } else if (name == "&" || name == "|" || name == "^" || name == "<<" || name == ">>") {
    list(v, (" " + name + " ").c_str());
  } else {
    out += name;
    for (const char* key : {"name", "field", "key", "mode"}) {
      if (member(v, key).is_string()) out += " " + text(v, key);
    }
  }
}

void Writer::expression(const json& e) {
  if (full()) return;
  ++depth_;
  if (e.is_string()) {
    out += text(e);
  } else if (e.is_boolean()) {
    out += e == true ? "exists" : "missing";
  } else if (e.is_number()) {
    out += e.dump();
  } else if (e.is_array()) {
    list(e, ",", kShownElements);
  } else if (const Tagged t = tagged(e); !t.name.empty()) {
    tagged_expression(t.name, *t.value);
  }
  --depth_;
}

void Writer::match(const json& m) {
  const std::string op = text(m, "op");
  expression(member(m, "left"));
  // nft writes no operator for the usual ones.
  const bool masked = tagged(member(m, "left")).name == "&";
  if ((op != "==" && op != "in") || (masked && op == "==")) out += " " + op;
  out += " ";
  expression(member(m, "right"));
}

void Writer::nat(const std::string& name, const json& v) {
  out += name;
  const std::string family = text(v, "family");
  if (!family.empty()) out += " " + family;
  const json& address = member(v, "addr");
  const json& port = member(v, "port");
  if (!address.is_null() || !port.is_null()) out += " to ";
  const bool v6 = address.is_string() && text(address).find(':') != std::string::npos && !port.is_null();
  if (v6) out += "[";
  expression(address);
  if (v6) out += "]";
  if (!port.is_null()) {
    out += ":";
    expression(port);
  }
  const std::string flags = joined_flags(member(v, "flags"));
  if (!flags.empty()) out += " " + flags;
}

void Writer::other_statement(const std::string& name, const json& v) {
  out += name;
  if (name == "counter" && v.is_object()) {
    out += " packets " + std::to_string(number(member(v, "packets"), UINT64_MAX).value_or(0)) + " bytes " +
           std::to_string(number(member(v, "bytes"), UINT64_MAX).value_or(0));
  } else if (name == "counter" && v.is_string()) {
    out += " name " + text(v);
  } else if (name == "limit") {
    const bool over = member(v, "inv") == true;
    out += std::string(" rate ") + (over ? "over " : "");
    expression(member(v, "rate"));
    out += "/" + text(v, "per");
  } else if (name == "log") {
    if (member(v, "prefix").is_string()) out += " prefix \"" + text(v, "prefix") + "\"";
  } else if (name == "queue") {
    if (!member(v, "num").is_null()) out += " to ";
    expression(member(v, "num"));
  } else if (name == "xt") {
    out += " " + text(v, "type") + " " + text(v, "name");
  } else if (name == "ct count" || name == "quota") {
    out += member(v, "inv") == true ? " over " : " ";
    expression(member(v, "val"));
  } else if (name == "set") {
    out.resize(out.size() - 3);
    out += text(v, "op") + " " + text(v, "set") + " { ";
    expression(member(v, "elem"));
    out += " }";
  }
}

void Writer::tagged_statement(const std::string& name, const json& v) {
  if (name == "match") {
    match(v);
  } else if (name == "jump" || name == "goto") {
    out += name + " " + text(v, "target");
  } else if (name == "vmap") {
    expression(member(v, "key"));
    out += " vmap ";
    expression(member(v, "data"));
  } else if (name == "mangle") {
    expression(member(v, "key"));
    out += " set ";
    expression(member(v, "value"));
  } else if (name == "reject") {
    out += "reject";
    if (member(v, "type").is_string()) out += " with " + text(v, "type");
    if (member(v, "expr").is_string()) out += " " + text(v, "expr");
  } else if (name == "dnat" || name == "snat" || name == "masquerade" || name == "redirect") {
    nat(name, v);
  } else {
    other_statement(name, v);
  }
}

void Writer::statement(const json& s) {
  if (full()) return;
  const Tagged t = tagged(s);
  if (!t.name.empty()) {
    tagged_statement(t.name, *t.value);
  } else {
    out += text(s);
  }
}

}  // namespace

std::string expression_text(const json& expression) {
  Writer w;
  w.expression(expression);
  return one_line(w.out, kMaxRuleText);
}

std::string match_text(const json& match) {
  Writer w;
  w.match(match);
  return one_line(w.out, kMaxRuleText);
}

std::string statement_text(const json& statement) {
  Writer w;
  w.statement(statement);
  return one_line(w.out, kMaxRuleText);
}

std::string rule_text(const json& expressions, const std::string& comment) {
  Writer w;
  for (const json& s : expressions) {
    if (w.out.size() > kMaxRuleText) break;
    if (!w.out.empty()) w.out += " ";
    w.statement(s);
  }
  if (!comment.empty()) w.out += " comment \"" + comment + "\"";
  return one_line(w.out, kMaxRuleText);
}

}  // namespace podshark::firewall
