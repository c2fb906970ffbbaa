"""What makes a classifier, a run and a test what they are; `data` is None where the data are not there yet."""

from src.rsgan.configuration import CommonConfig, ExperimentConfig
from src.rsgan.evaluation.classifiers import ReferenceClassifier
from utils.identity import Identity, code_version

# What may change while a run stays the same: how long it goes on, where files are, how they are read, how it is tested.
FREE_IN_TRAINING = {
    "experiment": {"chkpt", "max_epochs"},
    "dataset": {"root": True, "cache": True, "dataloader": {"num_workers"}},
    "reference_classifier": True,
    "testing": True,
}
FREE_IN_TESTING = {"experiment": {"chkpt"}, "dataset": {"root", "cache", "dataloader", "crop"}}


def of_classifier(settings: ReferenceClassifier, config: CommonConfig, data: str | None = None) -> Identity:
    """Its settings, and views with their targets and their split; never the sources."""
    dataset = config.dataset
    return Identity(
        {
            "classifier": settings.model_dump(mode="json", exclude={"n_chunks"}),
            "dataset": {"target": dataset.target, "split": dataset.split.model_dump(mode="json")},
            "split_seed": config.experiment.seed,
        },
        data=data,
        code=code_version("src.rsgan.evaluation.reference", configured=settings),
    )


def of_run(config: ExperimentConfig, seed: int, data: str | None = None) -> Identity:
    code = code_version("src.rsgan.training", configured=config.model_copy(update={"reference_classifier": None}))
    return Identity(config.model_dump(mode="json", exclude=FREE_IN_TRAINING), seed=seed, data=data, code=code)


def of_predictions(values: str, data: str) -> Identity:
    """What somebody's predictions are, whose values are identified; how they came about isn't known."""
    return Identity({"predictions": values}, data=data, code=code_version("src.rsgan.testing"))


def of_test(config: ExperimentConfig, data: str | None = None) -> Identity:
    """What a baseline is, and what a checkpoint is tested with."""
    tested = {"experiment", "dataset", "model"}
    sections = config.model_dump(mode="json", include=tested, exclude=FREE_IN_TESTING)
    return Identity(sections, data=data, code=code_version("src.rsgan.testing", configured=config))
