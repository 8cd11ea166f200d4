//! Every documented pattern and limit, each with its source.
