/* YAML, as kubeconfig files and configurations are. */
#include "fuzz.h"
#include "base/yaml.h"

void fuzz_yaml(const char *bytes, size_t len)
{
	Json *root = NULL;
	Error err = { 0 };
	fuzz_check(yaml_parse(bytes, len, &root, &err), &err);
	json_free(root);
	(void) yaml_line_of(bytes, len, "users.user");
}

void seed_yaml(StrBuf *to)
{
	fuzz_read("tests/fixtures/kubeconfig.yaml", to);
}
