/*
 * See io_onnx.h. Field numbers are those of onnx.proto3; only the actor is written, a chain of nodes whose names are those
 * of the values they make.
 */
#include "rl/io_onnx.h"

#include "rl/proto.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { IR_VERSION = 7, OPSET = 13 };
enum { TYPE_FLOAT = 1, TYPE_INT64 = 7 }; /* TensorProto.DataType */
enum { ATTRIBUTE_INT = 2 };              /* AttributeProto.AttributeType */
/* ModelProto, GraphProto, NodeProto, AttributeProto, TensorProto, ValueInfoProto and what a ValueInfoProto holds */
enum { MODEL_IR = 1, MODEL_PRODUCER = 2, MODEL_GRAPH = 7, MODEL_OPSET = 8, OPSET_VERSION = 2 };
enum { GRAPH_NODE = 1, GRAPH_NAME = 2, GRAPH_INITIALIZER = 5, GRAPH_INPUT = 11, GRAPH_OUTPUT = 12 };
enum { NODE_INPUT = 1, NODE_OUTPUT = 2, NODE_NAME = 3, NODE_OP = 4, NODE_ATTRIBUTE = 5 };
enum { ATTRIBUTE_NAME = 1, ATTRIBUTE_I = 3, ATTRIBUTE_KIND = 20 };
enum { TENSOR_DIM = 1, TENSOR_TYPE = 2, TENSOR_NAME = 8, TENSOR_RAW = 9 };
enum { VALUE_NAME = 1, VALUE_TYPE = 2, TYPE_TENSOR = 1, ELEMENT = 1, SHAPE = 2, SHAPE_DIM = 1, DIM_VALUE = 1, DIM_NAME = 2 };

typedef struct Graph {
	StrBuf out, message, inner;
	char value[64]; /* the name of the chain's last value */
} Graph;

static void add_tensor(Graph *g, const char *name, const float *data, int32_t rows, int32_t cols)
{
	size_t n = (size_t) (rows ? rows : 1) * (size_t) (cols ? cols : 1);
	if (rows)
		proto_int(&g->message, TENSOR_DIM, rows);
	if (cols)
		proto_int(&g->message, TENSOR_DIM, cols);
	proto_int(&g->message, TENSOR_TYPE, TYPE_FLOAT);
	proto_string(&g->message, TENSOR_NAME, name);
	proto_bytes(&g->message, TENSOR_RAW, (const char *) data, n * sizeof *data);
	proto_message(&g->out, GRAPH_INITIALIZER, &g->message);
}

typedef struct IntAttribute {
	const char *name; /* NULL: none */
	int64_t value;
} IntAttribute;

/* The next node of the chain: the last value and at most two more inputs -> output. */
static void add_node(Graph *g, const char *op, const char *output, const char *const input[2], const IntAttribute attribute[2])
{
	proto_string(&g->message, NODE_INPUT, g->value);
	for (int i = 0; i < 2 && input[i]; i++)
		proto_string(&g->message, NODE_INPUT, input[i]);
	proto_string(&g->message, NODE_OUTPUT, output);
	proto_string(&g->message, NODE_NAME, output);
	proto_string(&g->message, NODE_OP, op);
	for (int i = 0; i < 2 && attribute[i].name; i++) {
		proto_string(&g->inner, ATTRIBUTE_NAME, attribute[i].name);
		proto_int(&g->inner, ATTRIBUTE_I, attribute[i].value);
		proto_int(&g->inner, ATTRIBUTE_KIND, ATTRIBUTE_INT);
		proto_message(&g->message, NODE_ATTRIBUTE, &g->inner);
	}
	proto_message(&g->out, GRAPH_NODE, &g->message);
	str_copy(g->value, sizeof g->value, output);
}

/* A graph's input or output [batch] or [batch][cols]. */
static void add_value(Graph *g, uint32_t field, const char *name, int64_t type, int32_t cols)
{
	StrBuf shape = { 0 }, tensor = { 0 };
	proto_string(&g->inner, DIM_NAME, "batch");
	proto_message(&shape, SHAPE_DIM, &g->inner);
	if (cols) {
		proto_int(&g->inner, DIM_VALUE, cols);
		proto_message(&shape, SHAPE_DIM, &g->inner);
	}
	proto_int(&tensor, ELEMENT, type);
	proto_message(&tensor, SHAPE, &shape);
	proto_message(&g->inner, TYPE_TENSOR, &tensor);
	proto_string(&g->message, VALUE_NAME, name);
	proto_message(&g->message, VALUE_TYPE, &g->inner);
	proto_message(&g->out, field, &g->message);
	strbuf_done(&shape);
	strbuf_done(&tensor);
}

static const IntAttribute NO_ATTRIBUTE[2];

static void add_normalisation(Graph *g, const Net *net)
{
	float mean[NET_WIDTH_MAX], scale[NET_WIDTH_MAX];
	const float clip = 10.0f, minus_clip = -clip;
	int32_t dim = net_config(net)->obs_dim;
	for (int32_t i = 0; i < dim; i++) {
		mean[i] = (float) net_norm_mean(net)[i];
		scale[i] = (float) (1.0 / sqrt(net_norm_var(net)[i] + 1e-8));
	}
	add_tensor(g, "mean", mean, dim, 0);
	add_tensor(g, "scale", scale, dim, 0);
	add_tensor(g, "least", &minus_clip, 0, 0);
	add_tensor(g, "most", &clip, 0, 0);
	add_node(g, "Sub", "centred", (const char *[2]) { "mean" }, NO_ATTRIBUTE);
	add_node(g, "Mul", "scaled", (const char *[2]) { "scale" }, NO_ATTRIBUTE);
	add_node(g, "Clip", "normalised", (const char *[2]) { "least", "most" }, NO_ATTRIBUTE);
}

static void add_layer(Graph *g, const NetTensor *weight, const char *output)
{
	add_tensor(g, weight[0].name, weight[0].data, weight[0].rows, weight[0].cols);
	add_tensor(g, weight[1].name, weight[1].data, weight[1].rows, 0);
	add_node(g, "Gemm", output, (const char *[2]) { weight[0].name, weight[1].name },
		 (IntAttribute[2]) { { "transB", 1 } });
}

static void add_actor(Graph *g, Net *net)
{
	NetTensor tensor[NET_TENSORS_MAX];
	const NetConfig *config = net_config(net);
	size_t count = net_tensors(net, tensor, NET_TENSORS_MAX);
	char name[64];
	if (net_is_normalised(net))
		add_normalisation(g, net);
	for (int32_t i = 0; i < config->shared_depth + config->depth; i++) { /* in the order of their tensors */
		(void) snprintf(name, sizeof name, "hidden.%d", i);
		add_layer(g, &tensor[2 * i], name);
		(void) snprintf(name, sizeof name, "active.%d", i);
		add_node(g, config->activation == ACTIVATION_TANH ? "Tanh" : "Relu", name, (const char *[2]) { NULL },
			 NO_ATTRIBUTE);
	}
	add_layer(g, &tensor[count - 4], "logits");
	add_node(g, "ArgMax", "action", (const char *[2]) { NULL }, (IntAttribute[2]) { { "axis", 1 }, { "keepdims", 0 } });
	proto_string(&g->out, GRAPH_NAME, "policy");
	add_value(g, GRAPH_INPUT, "obs", TYPE_FLOAT, config->obs_dim);
	add_value(g, GRAPH_OUTPUT, "logits", TYPE_FLOAT, config->n_actions);
	add_value(g, GRAPH_OUTPUT, "action", TYPE_INT64, 0);
}

int onnx_write(const Net *net, const ModelInfo *info, StrBuf *ret_bytes)
{
	(void) info;
	Graph g = { .value = "obs" };
	Net *copy = net_clone(net); /* since net_tensors lends them for writing */
	if (!copy)
		return ERR_NOMEM;
	add_actor(&g, copy);
	proto_int(ret_bytes, MODEL_IR, IR_VERSION);
	proto_string(ret_bytes, MODEL_PRODUCER, "maestro");
	proto_message(ret_bytes, MODEL_GRAPH, &g.out);
	proto_int(&g.message, OPSET_VERSION, OPSET);
	proto_message(ret_bytes, MODEL_OPSET, &g.message);
	bool is_whole = !ret_bytes->failed && !g.message.failed && !g.inner.failed;
	strbuf_done(&g.out);
	strbuf_done(&g.message);
	strbuf_done(&g.inner);
	net_free(copy);
	return is_whole ? 0 : ERR_NOMEM;
}
