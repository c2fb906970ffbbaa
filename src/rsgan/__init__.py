"""Learning from products and judging the result: data, networks, experiments, evaluation."""
