package javax.annotation;

/** Stands for that of jakarta.annotation-api 1.3, which a build with Maven or Gradle takes from its repository. */
public @interface Generated {
  String value();

  String comments();
}
